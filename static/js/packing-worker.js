// Keeps the shell (styles, scripts, font) and the last packing screens, so that a reload in a dead spot shows the order.
// Screens come from the network first; nothing about money lies under /packing/.

const KEPT = `shell-${[...SHELL.join()].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) | 0, 7)}`;
const PAGES = "pages", MOST_PAGES = 5;
const SCREEN = /^\/packing\/(tasks\/\d+)?$/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name !== KEPT && name !== PAGES).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// A page that was on its way while this worker began belongs to nobody, and asks.
self.addEventListener("message", (event) => { event.waitUntil(self.clients.claim()); });

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  } else if (request.mode === "navigate" && SCREEN.test(url.pathname)) {
    event.respondWith(fromNetworkFirst(request, url));
  }
});

async function fromNetworkFirst(request, url) {
  const pages = await caches.open(PAGES);
  try {
    const answer = await fetch(request);
    // Sent to the door: somebody signed out, and nothing stays for whoever comes next.
    if (answer.redirected || answer.type === "opaqueredirect" || answer.status === 401) await caches.delete(PAGES);
    else if (answer.ok) await keep(pages, url.pathname, answer.clone());
    return answer;
  } catch {
    return (await pages.match(url.pathname)) ?? Response.error();
  }
}

async function keep(pages, path, answer) {
  await pages.delete(path);
  await pages.put(path, answer);
  const kept = await pages.keys();
  await Promise.all(kept.slice(0, Math.max(0, kept.length - MOST_PAGES)).map((old) => pages.delete(old)));
}
