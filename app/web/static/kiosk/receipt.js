// The screen with the code of a reply: for whoever stands here to scan, photograph or copy by hand. The
// code is in this screen alone and goes with it: when it was taken along, or when the time is over.
import { grouped, hashOf, newCode } from "./codes.js";
import { element } from "./element.js";
import { picture } from "./qr.js";

// By when the time that is left is shown as short.
const SHORT_S = 20;

export class Receipt {
  /** For a response's id; `address` is where replies are read, `seconds` how long the code stays. */
  constructor({ id, code, address, seconds, say, show, ended }) {
    Object.assign(this, { id, code, address, seconds, say, show, ended });
    this.until = performance.now() + 1000 * seconds;
    this.timer = setInterval(() => this.tick(), 250);
  }

  draw() {
    const { say } = this;
    const heading = element("h1", { tabindex: "-1" }, say("thanks"));
    this.left = element("p", { class: "left", role: "timer" });
    this.show(element("section", { class: "message receipt", id: "thanks" },
      heading,
      element("div", { class: "ticket" },
        picture(`${this.address}#${this.code}`, say("reply_qr")),
        element("div", {},
          element("h2", {}, say("reply_code")),
          element("p", { class: "code", translate: "no", id: "reply-code" }, grouped(this.code)),
          element("p", {}, element("strong", {}, say("reply_scan"))),
          element("p", {}, say("reply_keep")),
          element("p", {}, say("reply_where", { address: this.address })),
          element("p", { class: "terms" }, say("reply_later")))),
      this.left,
      element("div", { class: "pair" },
        element("button", { class: "start second", onclick: () => this.extend() }, say("reply_more")),
        element("button", { class: "start", onclick: () => this.end() }, say("reply_done")))));
    heading.focus({ preventScroll: true });
    this.tick();
  }

  extend() {
    this.until = performance.now() + 1000 * this.seconds;
    this.tick();
  }

  tick() {
    const left = Math.ceil((this.until - performance.now()) / 1000);
    if (left <= 0) { this.end(); return; }
    const text = this.say("reply_left", { seconds: left });
    if (this.left.textContent !== text) this.left.textContent = text;
    this.left.classList.toggle("bad", left <= SHORT_S);
  }

  /** Another code, where somebody else's response has this one; what is kept of it. */
  async another() {
    this.code = newCode();
    const hash = await hashOf(this.code);
    this.extend();
    this.draw();
    return hash;
  }

  /** The response was refused for good: its code would open nothing. */
  refuse() {
    this.forget();
    this.show(element("section", { class: "message", id: "not-kept" }, element("h1", {}, this.say("reply_refused")), element("p", {}, this.say("reply_refused_text"))));
  }

  forget() {
    clearInterval(this.timer);
    this.code = null;
  }

  end() {
    this.forget();
    this.ended();
  }
}
