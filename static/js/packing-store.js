// Scans are written down on the device before they are sent, and forgotten when the portal has answered them.
// So a reload, a dead spot or a closed lid loses nothing; and as each scan has its own id, sending twice counts once.

const MOST_WAITING = 500;

const Store = (() => {
  let opened = null;

  function open() {
    opened ??= new Promise((resolve, reject) => {
      const wanted = indexedDB.open("emanet-packing", 1);
      wanted.onupgradeneeded = () => {
        wanted.result.createObjectStore("scans", { keyPath: "n", autoIncrement: true });
        wanted.result.createObjectStore("conflicts", { keyPath: "id" });
        wanted.result.createObjectStore("tasks", { keyPath: "task" });
      };
      wanted.onsuccess = () => resolve(wanted.result);
      wanted.onerror = () => reject(wanted.error);
    });
    return opened;
  }

  async function act(name, mode, work) {
    const base = await open();
    return new Promise((resolve, reject) => {
      const deal = base.transaction(name, mode);
      const asked = work(deal.objectStore(name));
      deal.oncomplete = () => resolve(asked?.result);
      deal.onerror = deal.onabort = () => reject(deal.error);
    });
  }

  return {
    all: (name) => act(name, "readonly", (store) => store.getAll()),
    get: (name, key) => act(name, "readonly", (store) => store.get(key)),
    put: (name, row) => act(name, "readwrite", (store) => store.put(row)),
    remove: (name, keys) => act(name, "readwrite", (store) => { keys.forEach((key) => store.delete(key)); }),
  };
})();

// Ids must be made where the scan is made. (randomUUID exists only on pages that came over TLS.)
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function thisDevice() {
  const known = localStorage.getItem("emanet-device") ?? newId();
  localStorage.setItem("emanet-device", known);
  return known;
}

// What waits to be sent, in its order, one message at a time.
class Outbox {
  constructor({ onChange = () => {}, onAnswers = () => {}, onRefused = () => {} } = {}) {
    Object.assign(this, { onChange, onAnswers, onRefused, queue: [], state: "online", busy: false, again: null });
    this.pause = 1000;
    this.most = 50;
    this.device = thisDevice();
    this.lastSaved = Promise.resolve();
    addEventListener("online", () => { this.pause = 1000; this.flush(); });
    addEventListener("offline", () => this.stand("offline"));
  }

  async start() {
    const kept = await Store.all("scans").catch(() => []);
    this.queue = [...kept.map((row) => ({ ...row, saved: Promise.resolve() })), ...this.queue];
    this.stand(navigator.onLine ? this.state : "offline");
    this.flush();
  }

  get full() { return this.queue.length >= MOST_WAITING; }

  add(scan) {
    const row = { ...scan };
    // In order, and durable before it is sent; where the browser keeps nothing, it is at least sent.
    row.saved = this.lastSaved = this.lastSaved
      .then(() => Store.put("scans", scan)).then((n) => { row.n = n; }).catch(() => {});
    this.queue.push(row);
    this.onChange();
    this.flush();
  }

  stand(state) {
    this.state = state;
    this.onChange();
  }

  async flush() {
    if (this.busy) return;
    clearTimeout(this.again);
    this.busy = true;
    try {
      while (this.queue.length && await this.sendSome());
    } finally {
      this.busy = false;
      this.onChange();
    }
    if (this.queue.length) {
      this.again = setTimeout(() => this.flush(), this.pause);
      this.pause = Math.min(this.pause * 2, 5000);
    }
  }

  async sendSome() {
    if (!navigator.onLine) { this.stand("offline"); return false; }
    const { task } = this.queue[0];
    const until = this.queue.findIndex((row) => row.task !== task);
    const some = this.queue.slice(0, Math.min(until < 0 ? this.queue.length : until, this.most));
    await Promise.all(some.map((row) => row.saved));
    const answer = await this.ask(task, some);
    if (!answer) { this.stand("offline"); return false; }
    if (answer.ok) {
      const said = await answer.json().catch(() => null);
      if (!said) { this.stand("offline"); return false; }
      this.sent(some, () => this.onAnswers(task, some, said));
      this.most = 50;
      return true;
    }
    return this.no(answer, some);
  }

  ask(task, some) {
    const scans = some.map(({ id, kind, at, barcode, parcel, refused }) => ({ id, kind, at, barcode, parcel, refused }));
    return fetch(`/packing/tasks/${task}/scans`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": Outbox.token() },
      body: JSON.stringify({ device: this.device, scans }),
      signal: AbortSignal.timeout(15000),
    }).catch(() => null);
  }

  // A "no": sign in again, later, or never. Where one of several is refused, they go one by one.
  async no(answer, some) {
    if (answer.status === 401) { this.stand("signed-out"); return false; }
    if (answer.status === 400) { await Outbox.newToken(); this.stand("offline"); return false; }
    if (answer.status === 429 || answer.status >= 500) { this.stand("offline"); return false; }
    if (some.length > 1) { this.most = 1; return true; }
    const said = await answer.json().catch(() => ({}));
    this.sent(some, () => this.onRefused(some[0], said.message ?? ""));
    return true;
  }

  sent(some, tell) {
    this.queue.splice(0, some.length);
    this.pause = 1000;
    this.state = "online";
    Store.remove("scans", some.map((row) => row.n).filter((n) => n !== undefined)).catch(() => {});
    tell();
    this.onChange();
  }

  static token() { return document.querySelector("input[name=csrf_token]")?.value ?? ""; }

  // The page outlived its token (somebody signed in anew): a new page knows the new one.
  static async newToken() {
    const page = await fetch(location.href).then((answer) => answer.text()).catch(() => "");
    const token = new DOMParser().parseFromString(page, "text/html").querySelector("input[name=csrf_token]")?.value;
    if (token) document.querySelectorAll("input[name=csrf_token]").forEach((field) => { field.value = token; });
  }
}

// The tablet goes to somebody else: no page of ours stays on it. (What was scanned stays until it is sent.)
document.getElementById("sign-out")?.form.addEventListener("submit", () => { globalThis.caches?.delete("pages"); });

// In the list: scans of orders that are no longer open on this device are sent from here.
const waitingNote = document.getElementById("waiting");
if (waitingNote) {
  const outbox = new Outbox({
    onChange() {
      const orders = [...new Set(outbox.queue.map((row) => row.task))];
      waitingNote.hidden = !orders.length;
      waitingNote.replaceChildren(...orders.map((task) => {
        const link = document.createElement("a");
        link.href = `/packing/tasks/${task}`;
        link.textContent = `⇡ ${outbox.queue.filter((row) => row.task === task).length}`;
        return link;
      }));
    },
    onRefused(row, message) { Store.put("conflicts", { id: row.id, task: row.task, barcode: row.barcode, words: message }); },
    onAnswers(task, rows, said) {
      const refused = said.answers.filter((answer, i) => answer.stops && !rows[i].refused);
      refused.forEach((answer) => Store.put("conflicts", {
        id: answer.id, task, barcode: rows.find((row) => row.id === answer.id).barcode, words: answer.words,
      }));
    },
  });
  outbox.start();
  keepShell("/packing/worker.js");
}

// One file that does not come (a dead spot at the wrong moment) ends the browser's whole try to keep the shell.
function keepShell(worker) {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.ready.then((shell) => { if (!navigator.serviceWorker.controller) shell.active.postMessage("claim"); });
  navigator.serviceWorker.register(worker, { scope: "/packing/" }).then((shell) => {
    shell.installing?.addEventListener("statechange", (event) => {
      if (event.target.state === "redundant" && !shell.active) setTimeout(keepShell, 5000, worker);
    });
  }).catch(() => {});
}
