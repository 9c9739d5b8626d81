// Renews the login form shortly before it gets too old, so that what was typed
// is not lost: it asks for the same page again and takes its form token. When
// that fails, it says so.

const form = document.querySelector("form[data-lives]");
const token = form?.elements.namedItem("execution");
const ahead = 120_000;
const most = 12; // a page forgotten in a tab stops asking
let due = 0;
let renewed = 0;

const plan = () => {
  const lives = Number(form.dataset.lives) * 1000;
  due = Date.now() + Math.max(lives - ahead, lives / 2);
};

const renew = async () => {
  if (document.hidden || Date.now() < due || renewed >= most) return;
  renewed += 1;
  plan();
  try {
    const answer = await fetch(form.dataset.self, { redirect: "manual", headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#fm1 input[name=execution]");
    if (!fresh?.value) throw new Error("no form in the answer");
    token.value = fresh.value;
  } catch {
    renewed = most;
    form.querySelector("#form-status").classList.remove("unseen");
    form.querySelector("#form-status").textContent = form.dataset.late;
  }
};

if (form && token) {
  plan();
  setInterval(renew, 10_000);
  document.addEventListener("visibilitychange", renew);
}
