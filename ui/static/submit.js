// Sends a form once, and says that it is on its way. The button keeps its focus:
// it is not disabled, it only refuses to send again.

const patience = 15_000;

for (const form of document.querySelectorAll("form")) {
  const button = form.querySelector("button[data-working]");
  if (!button) continue;
  const label = button.textContent;
  const status = form.querySelector("#form-status");
  let timer;

  const rest = () => {
    clearTimeout(timer);
    button.removeAttribute("aria-disabled");
    button.textContent = label;
    if (status) status.textContent = "";
  };
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.working;
    if (status) status.textContent = button.dataset.working;
    // An answer that never comes must not lock the page.
    timer = setTimeout(rest, patience);
  });
  // The page may come back from the browser's cache, as it was left.
  addEventListener("pageshow", rest);
}
