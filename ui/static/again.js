// Tries again by itself, a little earlier or later than the others, so that a
// server that comes back is not met by everybody at once.

const notice = document.querySelector("#again");

if (notice) {
  const link = document.querySelector(".actions a");
  const wait = () => Number(notice.dataset.seconds) * 1000 * (0.75 + Math.random() / 2);

  const attempt = async () => {
    try {
      const answer = await fetch(link.href, { redirect: "manual" });
      if (answer.status !== 503) {
        location.replace(link.href);
        return;
      }
    } catch {
      // The server cannot be reached: it may be the next time.
    }
    setTimeout(attempt, wait());
  };
  notice.hidden = false;
  setTimeout(attempt, wait());
}
