// Waits until the state of this browser's request changes, and shows the page anew.
const shown = document.getElementById("state").dataset.state;
const ask = async () => {
  try {
    const answer = await fetch("/present/status", { cache: "no-store" });
    const { state } = await answer.json();
    if (state !== shown) {
      location.reload();
      return;
    }
  } catch {
    // Try again: the server or the network is away for a moment.
  }
  setTimeout(ask, 1500);
};
setTimeout(ask, 1500);
