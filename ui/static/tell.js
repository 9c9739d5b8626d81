// Says when every service was called, then goes on to where the person was
// going. An image that fails was called too: no service answers with a picture.

const patience = 4_000;
const telling = document.querySelector("#telling");

const called = (image) => new Promise((resolve) => {
  if (image.complete) resolve();
  image.addEventListener("load", resolve);
  image.addEventListener("error", resolve);
});

if (telling) {
  const images = [...document.querySelectorAll("img.told")];
  const late = new Promise((resolve) => { setTimeout(resolve, patience); });
  Promise.race([Promise.all(images.map(called)), late]).then(() => {
    telling.textContent = telling.dataset.done;
    if (telling.dataset.next) location.replace(telling.dataset.next);
  });
}
