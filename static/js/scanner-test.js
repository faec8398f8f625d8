// The scanner's doctor: what was printed, what arrived, and what to change on the scanner.

const place = document.getElementById("scanner-test");
const tests = place.dataset.tests.split(" ");
const Q = { "ı": "i", "İ": "I", "*": "-", ".": "/", "ç": ".", "Ç": ">", "Ş": ":", "ş": ";", "ğ": "[", "Ğ": "{", "ü": "]", "Ü": "}", "ö": ",", "Ö": "<" };
let patience = null;

function verdict(code, arrived, slowest) {
  const wanted = tests.find((test) => code.toUpperCase() === test) ?? tests.find((test) => code.toUpperCase().includes(test));
  if (!wanted) return ["other", null];
  if (code.toUpperCase() !== wanted) return ["around", wanted];
  if (slowest > 100) return ["slow", wanted];
  if (arrived === wanted) return ["right", wanted];
  const back = [...arrived].map((c) => Q[c] ?? c).join("");
  return [back.toUpperCase() === wanted && back !== arrived ? "layout" : "case", wanted];
}

function tell(kind, code, arrived) {
  clearTimeout(patience);
  const word = `word${kind[0].toUpperCase()}${kind.slice(1)}`;
  document.getElementById("test-what").textContent = place.dataset[word];
  document.getElementById("test-words").textContent = `${code} · ${arrived}`;
  place.className = `pk-say ${kind === "right" ? "ok" : kind === "layout" || kind === "case" ? "warn" : "bad"}`;
  Scanner.sound(kind === "right" ? "ok" : "wrong");
}

Scanner.listen({
  onScan(code, { arrived, slowest }) {
    const [kind, wanted] = verdict(code, arrived, slowest);
    tell(kind, code, arrived);
    const badge = wanted && document.querySelector(`[data-passed="${wanted}"]`);
    if (badge && kind !== "around" && kind !== "slow") badge.hidden = false;
  },
  onTyping(typed) {
    clearTimeout(patience);
    if (tests.includes(typed.toUpperCase())) patience = setTimeout(() => tell("noend", typed, typed), 800);
  },
});

document.querySelectorAll("[data-sound]").forEach((button) => {
  button.addEventListener("click", () => Scanner.sound(button.dataset.sound));
});
