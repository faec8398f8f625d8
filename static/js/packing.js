// The packing screen: says at once what it thinks of a scan, and lets the portal have the last word.

const screen_ = document.getElementById("packing");
const task = Number(screen_.dataset.task);
const el = (id) => document.getElementById(id);
const word = (name, n) => screen_.dataset[`word${name}`].replace("{n}", n ?? "");
const COMMANDS = { EMCMDOK: "ok", EMCMDUNDO: "undo", EMCMDNEWBOX: "box", EMCMDNEXTBOX: "next", EMCMDFINISH: "finish" };
for (let n = 1; n <= 9; n += 1) COMMANDS[`EMCMDBOX${n}`] = `box-${n}`;
const BLOCKS = ["WRONG_ITEM", "TOO_MANY", "UNKNOWN", "CLOSED"];
const WORDS = {
  OK: "Ok", CASE: "Case", UNDONE: "Undone", WRONG_ITEM: "Wrong", UNKNOWN: "Unknown", TOO_MANY: "Many", NOTHING_TO_UNDO: "Nothing",
};

let lines = new Map();            // what the portal has counted, line by line
let version = Number(screen_.dataset.version);
let active = document.querySelector("#boxes .here")?.dataset.box;
let blocked = null;               // the scan nobody has said "seen" to
let mine = [];                    // what this page counted and can take back
let conflicts = [];
let looking = null;
const weights = { due: false, busy: false };

// Scanning ---------------------------------------------------------------------------------------------------------

function stopped() {
  if (!blocked && !conflicts.length) return false;
  Scanner.sound("wrong");
  say("bad", word("Blocked"), el("say-words").textContent);
  return true;
}

function heard(barcode) {
  const code = plain(barcode);
  if (!code) return;
  if (COMMANDS[code]) { obey(COMMANDS[code]); return; }
  if (stopped()) return;
  if (outbox.full) { Scanner.sound("wrong"); say("bad", barcode, word("Full")); return; }
  const said = decide(code), refused = BLOCKS.includes(said.verdict);
  const scan = {
    id: newId(), task, kind: "scan", at: new Date().toISOString(), barcode, parcel: active, refused,
    line: refused ? null : said.line, pieces: said.pieces, verdict: said.verdict,
  };
  outbox.add(scan);
  if (refused) block(scan, said);
  else right(scan);
}

function right(scan) {
  mine.push(scan);
  addToBox(scan.parcel, scan.pieces);
  const line = lines.get(scan.line), full = room(line) <= 0, all = full && complete();
  Scanner.sound(all ? "done" : full ? "line" : "ok");
  const count = `${countOf(scan.line)}${scan.pieces > 1 ? ` (+${scan.pieces})` : ""}`;
  if (all) say("done", nameOf(scan.line), word("Done"), count);
  else say("ok", nameOf(scan.line), word(WORDS[scan.verdict]), count);
  document.querySelector("#lines .hit")?.classList.remove("hit");
  line.li.classList.add("hit");
  if (!full) line.li.scrollIntoView({ block: "nearest" });
}

function block(scan, said) {
  blocked = scan;
  Scanner.sound(said.verdict === "TOO_MANY" ? "many" : "wrong");
  say("bad", said.line ? nameOf(said.line) : scan.barcode, word(WORDS[said.verdict]), said.line ? countOf(said.line) : "✕");
  el("seen").hidden = false;
}

function seen() {
  if (conflicts.length) { conflictSeen(conflicts[0].id); return true; }
  if (!blocked) return false;
  blocked = null;
  el("seen").hidden = true;
  say(complete() ? "done" : "", word(complete() ? "Done" : "Ready"), "");
  return true;
}

function takeBack() {
  if (stopped()) return;
  const last = mine.pop();
  outbox.add({
    id: newId(), task, kind: "undo", at: new Date().toISOString(), barcode: "", parcel: null, refused: false,
    line: last?.line ?? null, pieces: last ? -last.pieces : 0,
  });
  if (last) addToBox(last.parcel, -last.pieces);
  Scanner.sound("undo");
  if (last) say("info", nameOf(last.line), word("Undone"), countOf(last.line));
}

function obey(command) {
  if (command === "ok") seen();
  else if (command === "undo") takeBack();
  else if (command === "box") newBox();
  else if (command === "next") nextBox();
  else if (command === "finish") el("finish-form").requestSubmit();
  else toBox(command.slice(4));
}

// What the portal says ---------------------------------------------------------------------------------------------

function answered(of, rows, said) {
  if (of !== task) { keepConflicts(of, rows, said); return; }
  for (const line of lines.values()) line.packed = said.packed[line.id] ?? line.packed;
  version = said.version;
  said.answers.forEach((answer, i) => compare(rows[i], answer));
  Store.put("tasks", { task, version, packed: said.packed }).catch(() => {});
  if (said.state !== "OPEN" && said.state !== "SHORT") look(0);
  else look(300);
}

function compare(row, answer) {
  if (row.kind === "undo") {
    if (!row.line && answer.line) say("info", nameOf(answer.line), answer.words, countOf(answer.line));
    else if (!row.line) say("info", answer.words, "");
    return;
  }
  if (row.kind !== "scan") return;
  if (answer.stops && !row.refused) {
    mine = mine.filter((one) => one.id !== row.id);
    addToBox(row.parcel, -row.pieces);
    conflict({ id: row.id, task, barcode: row.barcode, name: nameOf(row.line), words: answer.words });
  } else if (blocked?.id === row.id) {
    el("say-words").textContent = answer.words;
  }
}

function keepConflicts(of, rows, said) {
  said.answers.forEach((answer, i) => {
    if (answer.stops && !rows[i].refused) {
      Store.put("conflicts", { id: rows[i].id, task: of, barcode: rows[i].barcode, name: "", words: answer.words });
    }
  });
}

function refusedByPortal(row, message) {
  mine = mine.filter((one) => one.id !== row.id);
  conflict({ id: row.id, task: row.task, barcode: row.barcode, name: nameOf(row.line), words: message || word("Refused") });
}

// The other packer's scans appear: look again when something changed, and every few seconds ------------------------

function look(after) {
  clearTimeout(looking);
  looking = setTimeout(lookNow, after);
}

async function lookNow() {
  await keepWeights();
  const quiet = !outbox.queue.length && !document.hidden && navigator.onLine && !el("board").querySelector("input:focus");
  if (quiet) {
    const answer = await fetch(`${screen_.dataset.board}?version=${version}&parcel=${active}`).catch(() => null);
    if (answer?.status === 200) await newBoard(answer);
    else if (answer?.status === 401) outbox.stand("signed-out");
    else if (answer && outbox.state === "signed-out") outbox.stand("online");
  }
  look(2500);
}

async function newBoard(answer) {
  const now = await answer.json().catch(() => null);
  // What was scanned meanwhile is newer than this picture.
  if (!now || outbox.queue.length || weights.due || weights.busy || now.version < version) return;
  if (now.state !== "OPEN" && now.state !== "SHORT") { location.reload(); return; }
  el("board").innerHTML = now.html;
  wire();
  readBoard();
  draw();
}

// Weights, keys, closing -------------------------------------------------------------------------------------------

function wire() {
  const form = el("weights");
  el("weigh").hidden = true;
  form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); });
  form.addEventListener("change", () => { weights.due = true; keepWeights(); });
  el("boxes").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link) { event.preventDefault(); toBox(link.closest("li").dataset.number); }
  });
}

// A weight belongs to a box, so it is sent after the boxes; and nothing is drawn over a weight that is not kept yet.
async function keepWeights() {
  if (!weights.due || weights.busy || outbox.queue.length || !navigator.onLine) return;
  Object.assign(weights, { due: false, busy: true });
  const form = el("weights");
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => null);
  weights.busy = false;
  if (!answer) weights.due = true;
  // A "no" comes with a page of its own; the field keeps what was typed, and says that it was not taken.
  const taken = answer?.type === "opaqueredirect";
  form.querySelectorAll("input.input").forEach((field) => {
    field.setAttribute("aria-invalid", String(!taken && !/^\s*\d{0,6}\s*$/.test(field.value)));
  });
}

function mayClose(event) {
  const n = outbox.queue.length, wrong = document.querySelector("#weights [aria-invalid=true]");
  const why = n || outbox.state !== "online" ? word("Wait", n)
    : conflicts.length || blocked ? word("Look")
    : !complete() ? word("Missing")
    : wrong ? word("Weight") : "";
  const soon = !why && (weights.due || weights.busy);
  if (!why && !soon) return;
  event.preventDefault();
  event.stopPropagation();
  if (soon) { setTimeout(() => el("finish-form").requestSubmit(), 100); return; }
  Scanner.sound("wrong");
  say(blocked || conflicts.length ? "bad" : "warn", why, "");
}

const KEYS = {
  F2: takeBack, F3: newBox, F4: () => el("short").click(), F6: nextBox, F9: () => el("finish-form").requestSubmit(),
  F8: () => el(`grams-${boxes().find((li) => li.dataset.box === active).dataset.number}`).focus(), Escape: seen,
};

const outbox = new Outbox({ onChange: () => { if (lines.size) draw(); keepWeights(); }, onAnswers: answered, onRefused: refusedByPortal });

Scanner.listen({
  onScan: heard,
  onEnter: seen,
  onTyping: (typed) => { el("barcode").placeholder = typed; },
});
document.addEventListener("keydown", (event) => {
  if (!KEYS[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  KEYS[event.key]();
});
el("type").addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const typed = el("barcode").value.trim();
  el("barcode").value = "";
  if (typed) heard(typed);
  else seen();
});
el("finish-form").addEventListener("submit", mayClose);
el("undo").addEventListener("click", takeBack);
el("new-box").addEventListener("click", newBox);
el("next-box").addEventListener("click", nextBox);
el("seen").addEventListener("click", seen);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { look(0); stayAwake(); } });

function stayAwake() { navigator.wakeLock?.request("screen").catch(() => {}); }

async function begin() {
  document.body.classList.add("alive");
  if (document.activeElement === el("barcode")) el("barcode").blur();
  wire();
  readBoard();
  // After a reload without a connection the page is an old one: what the portal said last is newer.
  const known = await Store.get("tasks", task).catch(() => null);
  if (known && known.version > version) for (const line of lines.values()) line.packed = known.packed[line.id] ?? line.packed;
  await outbox.start();
  openWaitingBoxes();
  const kept = await Store.all("conflicts").catch(() => []);
  kept.filter((one) => one.task === task).forEach(conflict);
  draw();
  screen_.dataset.ready = "1";
  look(2500);
  stayAwake();
  keepShell(screen_.dataset.worker);
}

begin();
