// Improves password fields: a button that shows what is typed, and a word when
// Caps Lock is on. Its texts come from the page.

for (const holder of document.querySelectorAll(".secret")) {
  const input = holder.querySelector("input");
  const said = holder.parentElement.querySelector("[role=status]");
  const { show, hide, shown, hidden, caps } = holder.dataset;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  button.setAttribute("aria-controls", input.id);
  holder.append(button);
  holder.classList.add("can-show");

  const announcer = document.createElement("span");
  announcer.className = "unseen";
  announcer.setAttribute("role", "status");
  holder.after(announcer);

  const reveal = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? hide : show;
  };
  reveal(false);
  button.addEventListener("click", () => {
    const visible = input.type === "password";
    reveal(visible);
    announcer.textContent = visible ? shown : hidden;
  });

  // A browser remembers what was typed in text fields: the password leaves as
  // a password.
  input.form.addEventListener("submit", () => reveal(false));
  addEventListener("pageshow", () => reveal(false));

  const watch = (event) => {
    const on = Boolean(event.getModifierState?.("CapsLock"));
    const text = on ? caps : "";
    if (said.textContent !== text) said.textContent = text;
  };
  input.addEventListener("keydown", watch);
  input.addEventListener("keyup", watch);
  input.addEventListener("blur", () => { said.textContent = ""; });
}
