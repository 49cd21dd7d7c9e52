// Keeps one release of the kiosk on the device and answers from there: with a network or without.
"use strict";
const RELEASE = "{release}";
const ASSETS = "{assets}";
const NAME = `kiosk-${RELEASE}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(ASSETS.map((path) => new Request(path, { cache: "reload" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("kiosk-") && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

// A new release takes over only when the page says that nobody is in the middle of an answer.
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !ASSETS.includes(url.pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(NAME);
    return (await cache.match(url.pathname)) || fetch(event.request);
  })());
});
