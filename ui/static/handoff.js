// Sends the form to the service at once. A page that comes back by the "back"
// button does not send it again: what it holds has been used.

const form = document.querySelector("#handoff");
const arrival = performance.getEntriesByType("navigation")[0]?.type;

if (form && arrival !== "back_forward") {
  HTMLFormElement.prototype.submit.call(form);
}
