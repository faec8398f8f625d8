// What the packing screen shows: the lines, the link to the portal, the boxes, and what did not count.

// Reading and drawing the board ------------------------------------------------------------------------------------

function readBoard() {
  lines = new Map([...document.querySelectorAll("#lines > li")].map((li) => {
    const { line, barcode, wanted, packed: count, cases } = li.dataset;
    return [Number(line), { id: Number(line), barcode, wanted: Number(wanted), packed: Number(count), cases: JSON.parse(cases), li }];
  }));
  version = Number(document.querySelector(".pk-board").dataset.version);
  openWaitingBoxes();
  mark(active);
}

function draw() {
  let all = 0;
  for (const line of lines.values()) {
    const count = packed(line);
    all += count;
    const number = line.li.querySelector(".pk-n b");
    if (number.textContent !== String(count)) number.textContent = count;
    line.li.className = count >= line.wanted ? "full" : count ? "begun" : "";
  }
  el("packed").textContent = all;
  el("progress").value = all;
  drawLink();
  el("finish").classList.toggle("quiet", !complete());
}

function drawLink() {
  const n = outbox.queue.length, link = el("link");
  const state = outbox.state === "signed-out" ? "SignedOut" : outbox.state === "offline" ? "Offline" : n ? "Sending" : "Online";
  const words = { SignedOut: "Signin", Offline: "Offline", Sending: "Sending", Online: "Online" }[state];
  if (state === "Offline" && link.dataset.state !== "Offline") Scanner.sound("offline");
  link.dataset.state = state;
  const said = word(words, n);
  if (link.querySelector("span").textContent !== said) link.querySelector("span").textContent = said;
}

function say(tone, what, words, count = "") {
  el("say").className = `pk-say ${tone}`;
  el("say-what").textContent = what;
  el("say-words").textContent = words;
  el("say-count").textContent = count;
}

function nameOf(id) { return lines.get(id)?.li.querySelector(".pk-name").firstChild.textContent.trim() ?? ""; }
function countOf(id) { const line = lines.get(id); return line ? `${packed(line)} / ${line.wanted}` : ""; }

// Boxes ------------------------------------------------------------------------------------------------------------

const boxes = () => [...document.querySelectorAll("#boxes > li")];

function mark(id) {
  const all = boxes();
  const here = all.find((li) => li.dataset.box === id) ?? all.at(-1);
  active = here.dataset.box;
  for (const li of all) {
    li.classList.toggle("here", li === here);
    if (li === here) li.querySelector("a").setAttribute("aria-current", "true");
    else li.querySelector("a").removeAttribute("aria-current");
  }
  document.querySelectorAll("input[name=parcel]").forEach((field) => { field.value = active; });
}

function openWaitingBoxes() {
  for (const row of outbox.queue) if (row.task === task && row.kind === "box") drawBox(row.parcel);
}

function drawBox(id) {
  const all = boxes();
  if (all.some((li) => li.dataset.box === id)) return;
  const number = all.length + 1, li = all[0].cloneNode(true);
  Object.assign(li.dataset, { box: id, number });
  li.querySelector("b").textContent = number;
  li.querySelector("[data-pieces]").textContent = 0;
  li.querySelector("a").id = `box-${number}`;
  Object.assign(li.querySelector("input"), { id: `grams-${number}`, name: `grams-${number}`, value: "" });
  all.at(-1).after(li);
  el("box-count").textContent = word("Boxes", number);
}

function newBox() {
  if (stopped() || boxes().length >= 50) return;
  const id = newId();
  outbox.add({ id: newId(), task, kind: "box", at: new Date().toISOString(), barcode: "", parcel: id, refused: false, line: null, pieces: 0 });
  drawBox(id);
  mark(id);
  Scanner.sound("line");
  say("info", word("Box", boxes().length), word("Ready"));
}

function nextBox() {
  const all = boxes(), at = all.findIndex((li) => li.dataset.box === active);
  toBox(all[(at + 1) % all.length].dataset.number);
}

function toBox(number) {
  const found = boxes().find((li) => li.dataset.number === String(number));
  if (!found || stopped()) return;
  mark(found.dataset.box);
  say("info", word("Box", number), word("Ready"));
}

function addToBox(id, pieces) {
  const shown = boxes().find((li) => li.dataset.box === id)?.querySelector("[data-pieces]");
  if (shown) shown.textContent = Number(shown.textContent) + pieces;
}

// What did not count ----------------------------------------------------------------------------------------------

function conflict(one) {
  Store.put("conflicts", one).catch(() => {});
  if (one.task !== task || conflicts.some((known) => known.id === one.id)) return;
  conflicts.push(one);
  Scanner.sound("wrong");
  say("bad", one.name || one.barcode, one.words, "✕");
  drawConflicts();
}

function conflictSeen(id) {
  conflicts = conflicts.filter((one) => one.id !== id);
  Store.remove("conflicts", [id]).catch(() => {});
  drawConflicts();
  if (!conflicts.length && !blocked) say(complete() ? "done" : "", word(complete() ? "Done" : "Ready"), "");
}

function drawConflicts() {
  el("conflicts").hidden = !conflicts.length;
  el("conflicts").querySelector("ol").replaceChildren(...conflicts.map((one, i) => {
    const li = document.createElement("li"), text = document.createElement("span"), button = document.createElement("button");
    text.textContent = `${one.name || one.barcode}: ${one.words}`;
    Object.assign(button, { type: "button", className: "button", id: `conflict-${i}`, textContent: word("Seen") });
    button.addEventListener("click", () => conflictSeen(one.id));
    li.append(text, button);
    return li;
  }));
}
