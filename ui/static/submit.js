// Sends a form once, and says that it is on its way. The button keeps its focus:
// it is not disabled, it only refuses to send again.

const patience = 15_000;

for (const form of document.querySelectorAll("form")) {
  const buttons = [...form.querySelectorAll("button[data-working]")];
  if (!buttons.length) continue;
  const labels = buttons.map((button) => button.textContent);
  const status = form.querySelector("#form-status");
  let sent = false;
  let timer;

  const rest = () => {
    clearTimeout(timer);
    sent = false;
    buttons.forEach((button, i) => {
      button.removeAttribute("aria-disabled");
      button.textContent = labels[i];
    });
    if (status) status.textContent = "";
  };
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    const used = buttons.includes(event.submitter) ? event.submitter : buttons[0];
    for (const button of buttons) button.setAttribute("aria-disabled", "true");
    used.textContent = used.dataset.working;
    if (status) status.textContent = used.dataset.working;
    // An answer that never comes must not lock the page.
    timer = setTimeout(rest, patience);
  });
  // The page may come back from the browser's cache, as it was left.
  addEventListener("pageshow", rest);
}
