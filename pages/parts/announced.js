// The pair that comes next lies hidden in the page (announced.py). A vote shows it before the server answers.
//
// What a press counts for is still the pair that the server drew last. So from the press on no answer is
// heard until the server has drawn again, and then the page shows what it drew, whatever that is.
(() => {
  if (window.promptDuelAnnounced) return;
  window.promptDuelAnnounced = true;

  const LONGEST_MS = 3000; // a press that the server does not answer at all: back to its pair
  const ENDED_MS = 100; // what it has drawn is on the screen so long after it says that it is done
  const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';
  let waiting = false;
  let drawnAt = -Infinity; // since when the pair on the screen is the server's; as keyguard.py counts it

  const one = (selector) => document.querySelector(selector);
  const idle = () => one(IDLE) !== null;
  const text = (key) => one(`.st-key-${key}`)?.textContent;
  const scrolled = (key) => [
    ...document.querySelectorAll(`.st-key-${key} :is([class*="st-key-pane_"], [class*="st-key-input_"])`),
  ];

  // Not where the next pair is not there yet, nor for a press that comes too early to count.
  function isReady() {
    const asked = one(".st-key-pair_on_screen textarea")?.value;
    const next = asked && one(`.st-key-announced [data-after="${asked}"]`);
    return next && idle() && performance.now() - drawnAt >= Number(next.dataset.leastMs);
  }

  function backToTop() {
    for (const box of [one('[data-testid="stMain"]'), ...scrolled("asked")]) box.scrollTop = 0;
  }

  function showNext() {
    const expected = text("announced");
    let ended;
    backToTop();
    waiting = true;
    document.body.dataset.answered = "";
    const showServers = () => {
      changes.disconnect();
      clearTimeout(ended);
      clearTimeout(late);
      const read = scrolled("announced").map((box) => box.scrollTop);
      delete document.body.dataset.answered;
      scrolled("asked").forEach((box, place) => { box.scrollTop = read[place] ?? 0; });
      drawnAt = performance.now();
      waiting = false;
    };
    // Called after each change and before it is painted; the parts of a pair may come one by one.
    const changes = new MutationObserver((seen) => {
      if (text("asked") === expected) showServers();
      else if (seen.some((change) => change.type === "attributes") && idle()) {
        ended ??= setTimeout(showServers, ENDED_MS); // another pair came, or none, or the vote was refused
      }
    });
    changes.observe(document.body, {
      subtree: true, childList: true, characterData: true, attributeFilter: ["data-test-script-state"],
    });
    const late = setTimeout(showServers, LONGEST_MS);
  }

  // A press that is left to Streamlit. If it comes too early, its pair's moment starts again.
  function leave() {
    drawnAt = performance.now();
    backToTop();
  }

  function stop(event) {
    event.stopImmediatePropagation();
    event.preventDefault();
  }

  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (!/^[a-z0-9]$/i.test(event.key)) return;
    if (event.target.closest?.('input, textarea, select, [contenteditable="true"]')) return;
    const button = one(`.st-key-vote_${event.key.toUpperCase()} button:enabled`);
    if (!button) return;
    if (waiting) stop(event);
    else if (event.repeat || !isReady()) leave();
    else {
      stop(event);
      button.click();
    }
  }, true);

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.('[class*="st-key-vote_"] button')) return;
    if (waiting) stop(event);
    else if (isReady()) showNext();
    else leave();
  }, true);
})();
