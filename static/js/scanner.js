// A scanner is a keyboard that types fast and ends with Enter. Everything here works by the place of a key
// (event.code) and not by its letter: a scanner set to US keys on a Turkish computer would otherwise spoil i, - and /.

const Scanner = (() => {
  const SHIFTED = { 1: "!", 2: "@", 3: "#", 4: "$", 5: "%", 6: "^", 7: "&", 8: "*", 9: "(", 0: ")" };
  const SIGNS = {
    Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", Semicolon: ";:", Quote: "'\"",
    Backquote: "`~", Comma: ",<", Period: ".>", Slash: "/?", Space: "  ", NumpadAdd: "++", NumpadSubtract: "--",
    NumpadMultiply: "**", NumpadDivide: "//", NumpadDecimal: "..",
  };
  const NEW_RUN = 120;    // ms: after such a pause a new barcode begins
  const FORGET = 2000;    // ms: what somebody typed and did not end is forgotten
  const IN_A_FIELD = 6;   // so many fast keys in a field come from a scanner, not from a hand
  const FAST = 50;        // ms between keys: nobody types like that

  function letter(event) {
    const { code, shiftKey } = event;
    if (/^Key[A-Z]$/.test(code)) return shiftKey ? code[3] : code[3].toLowerCase();
    if (/^Digit\d$/.test(code)) return shiftKey ? SHIFTED[code[5]] : code[5];
    if (/^Numpad\d$/.test(code)) return code[6];
    if (SIGNS[code]) return SIGNS[code][shiftKey ? 1 : 0];
    return !code && event.key.length === 1 ? event.key : "";  // a keyboard without places, as on a phone
  }

  const isField = (element) => element?.matches?.("input:not([type=hidden]), textarea, select") ?? false;

  // onScan(barcode, {arrived, slowest, ended}); onEnter() when Enter ends nothing: true keeps it from the page.
  function listen({ onScan, onEnter = () => false, onTyping = () => {} }) {
    let run = [], field = null;

    function forget() { run = []; field = null; onTyping(""); }

    function ended(event) {
      const from = run.findLastIndex((key, i) => i > 0 && key.at - run[i - 1].at > NEW_RUN);
      const tail = run.length - from >= 4 && from > 0 ? run.slice(from) : run;
      const gaps = tail.slice(1).map((key, i) => key.at - tail[i].at);
      const slowest = Math.max(0, ...gaps);
      const inField = isField(event.target);
      if (!tail.length || (inField && (tail.length < IN_A_FIELD || slowest > FAST))) {
        const kept = !tail.length && !inField && event.key !== "Tab" && onEnter();
        forget();
        if (kept) stop(event);
        return;
      }
      if (event.key === "Tab" && slowest > FAST) { forget(); return; }
      stop(event);
      if (inField && field?.element === event.target) event.target.value = field.value;
      forget();
      onScan(tail.map((key) => key.letter).join(""), { arrived: tail.map((key) => key.arrived).join(""), slowest });
    }

    window.addEventListener("keydown", (event) => {
      if (event.isComposing || event.repeat || event.metaKey || (event.ctrlKey && !event.getModifierState("AltGraph"))) return;
      if (event.altKey && !event.getModifierState("AltGraph")) return;
      if (event.key === "Enter" || event.code === "NumpadEnter" || (event.key === "Tab" && run.length)) { ended(event); return; }
      const said = letter(event);
      if (!said) return;
      const at = event.timeStamp, last = run.at(-1)?.at ?? -Infinity;
      if (said === " " && !run.length && event.target.closest?.("button, a, summary, [role=button]")) return;
      if (at - last > FORGET) run = [];
      const inField = isField(event.target);
      if (inField && (at - last > NEW_RUN || field?.element !== event.target)) {
        run = [];
        field = { element: event.target, value: event.target.value };
      }
      run.push({ letter: said, arrived: event.key, at });
      if (!inField) { stop(event); onTyping(run.map((key) => key.letter).join("")); }
    }, true);
  }

  function stop(event) { event.preventDefault(); event.stopImmediatePropagation(); }

  // Sounds: made, not loaded. Each has its own rhythm, for ears that do not hear every pitch. -----------------------

  const TONES = {  // [frequency in Hz, begins at ms, lasts ms, shape]
    ok: [[1760, 0, 60, "sine"]],
    line: [[1320, 0, 70, "sine"], [1760, 90, 90, "sine"]],
    done: [[1047, 0, 90, "sine"], [1319, 110, 90, "sine"], [1760, 220, 200, "sine"]],
    wrong: [[220, 0, 400, "square"], [220, 480, 400, "square"]],
    many: [[440, 0, 150, "square"], [440, 200, 150, "square"], [440, 400, 300, "square"]],
    undo: [[880, 0, 80, "sine"], [660, 90, 120, "sine"]],
    offline: [[110, 0, 90, "triangle"]],
  };
  let audio = null;

  function sound(name) {
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume();
    for (const [hertz, begins, lasts, shape] of TONES[name] ?? []) {
      const tone = audio.createOscillator(), loud = audio.createGain();
      const from = audio.currentTime + begins / 1000, until = from + lasts / 1000;
      tone.type = shape;
      tone.frequency.value = hertz;
      loud.gain.setValueAtTime(shape === "square" ? 0.25 : 0.4, from);
      loud.gain.setTargetAtTime(0, until - 0.015, 0.008);
      tone.connect(loud).connect(audio.destination);
      tone.start(from);
      tone.stop(until + 0.05);
    }
    if (name === "wrong" || name === "many") navigator.vibrate?.([200, 80, 200]);
  }

  return { listen, sound, letter };
})();

// Keys with a name on them: the element they belong to is pressed. They cannot come from a barcode.
document.addEventListener("keydown", (event) => {
  const meant = /^F\d+$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (meant) { event.preventDefault(); meant.click(); }
});

// A label opens beside the page, and its button must work again.
document.addEventListener("submit", (event) => {
  if (event.target.target !== "_blank") return;
  setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = false; }), 1500);
});

// Where a page has a form for scanned papers, a scan fills it in and sends it.
const paper = document.querySelector("form[data-scan]");
if (paper) {
  Scanner.listen({
    onScan(code) {
      paper.elements[paper.dataset.scan].value = code;
      paper.requestSubmit();
    },
  });
}
