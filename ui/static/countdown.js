// Counts the seconds down until another try, and says when it is time.

const clock = document.querySelector(".countdown");

if (clock) {
  const { seconds, minute, second, done } = clock.dataset;
  const digits = clock.querySelector("span");
  const end = Date.now() + Number(seconds) * 1000;

  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      clock.hidden = true;
      document.querySelector("#countdown-status").textContent = done;
      return;
    }
    const minutes = Math.floor(left / 60);
    digits.textContent = (minutes ? `${minutes} ${minute} ` : "") + `${left % 60} ${second}`;
  };
  const timer = setInterval(tick, 500);
  clock.hidden = false;
  tick();
}
