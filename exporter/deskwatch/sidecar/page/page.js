"use strict";
// The live page: one stream of snapshot, events and state over the best road there is; commands with a token that stays
// in this browser session. Everything that is shown is set as text, never as HTML: what bots journal may come from
// anyone. What is on the page is changed in place, so that focus, selection and scroll stay where they are.
//
// Sections: figures · text in place · the stream · bots · activity · commands · start.

// ---- limits ------------------------------------------------------------------------------------------------------------
const DRAW_MS = 100; // between two drawings; what a bot may do (its mode, its commands) is drawn at once
const STALE_MS = 3500; // a heartbeat comes every second
const DEAD_MS = 6000; // a connection that says nothing for so long is given up
const OPEN_MS = 5000; // and one that does not open
const POLL_MS = 1000;
const BETTER_ROAD_MS = 30000; // after so long of polling, the stream is tried again
const RETRY_MS = [250, 500, 1000, 2000, 4000];
const PRICE_SECONDS = 3600; // a price that a source told last so long ago is not followed any more
const SILENT_SECONDS = 30; // six heartbeats of a bot
const EVENTS_KEPT = 1500;
const EVENTS_BYTES = 6e6;
const ROWS = 200; // of the feed, until older ones are asked for
const ROWS_MOST = 2000;
const OLDER = 100;
const CHOICES = 200; // most values that a filter offers
const RESOURCES_MS = 5000;
const FEW_BOTS = 3; // so many are shown open at first
const REQUEST_MS = 15000;
const PROCESS_MS = 60000;
const CLOSE_AFTER_MS = 1500;

const LEVELS = ["debug", "info", "warning", "error", "critical"];
const RISK = { halted: 0, closing: 1, standby: 2, active: 3 };
const SIGNS = { active: "▶", standby: "❚❚", closing: "▼", halted: "■", stopped: "○", watched: "◉", silent: "?", unreached: "?", unwatched: "○", unknown: "?" };
const FINAL = new Set(["succeeded", "failed", "refused", "expired", "unknown"]);

const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---- figures -----------------------------------------------------------------------------------------------------------
let ahead = 0; // seconds that the sidecar's clock is ahead of ours
const nowSeconds = () => Date.now() / 1000 + ahead;
const missing = (value) => value === null || value === undefined || Number.isNaN(Number(value));

const formats = new Map();
function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en", options));
  return formats.get(key);
}

function figure(value, digits = 2) {
  if (missing(value)) return "–";
  if (Math.abs(value) >= 1e15) return Number(value).toExponential(4);
  return format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

function significant(value, digits = 6) {
  if (missing(value)) return "–";
  if (value !== 0 && (Math.abs(value) >= 1e12 || Math.abs(value) < 1e-6)) return Number(value).toExponential(3);
  return format({ maximumSignificantDigits: digits }).format(value);
}

const short = (value) => (missing(value) ? "–" : format({ notation: "compact", maximumSignificantDigits: 4 }).format(value));
const signed = (value, digits = 2) => (value > 0 ? "+" : "") + figure(value, digits);
const percent = (ratio, digits = 2) => (missing(ratio) ? "–" : `${signed(100 * ratio, digits)} %`);
const tone = (value) => (missing(value) || Number(value) === 0 ? "" : value < 0 ? "loss" : "gain");
const bytes = (value) => (missing(value) ? "–" : `${figure(value / 1048576, 0)} MiB`);

function age(seconds) {
  if (!seconds) return "never";
  const past = Math.max(0, nowSeconds() - seconds);
  return past < 2 ? "now" : `${span(past)} ago`;
}

function span(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

function clock(seconds) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return "–";
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}

// Bidi overrides, controls and characters that are drawn as nothing make a text read as another: they are shown as escapes.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Cs}/gu;
const escaped = (character) => [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
const harmless = (text) => String(text).replace(UNSAFE, (found) => (found === "\n" ? " " : escaped(found)));
const harmlessLines = (text) => text.replace(UNSAFE, (found) => (found === "\n" ? found : escaped(found)));
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// JavaScript rounds integers of more than 15 digits, as times in nanoseconds are: they are carried as marked text.
const EXACT = `exact-${crypto.getRandomValues(new Uint32Array(2)).join("-")}:`;
const parse = (text) => JSON.parse(text.replace(/(?<!\\)":\s*(-?\d{16,})(?=\s*[,}])/g, `":"${EXACT}$1"`));
const plain = (value) => (typeof value === "string" && value.startsWith(EXACT) ? Number(value.slice(EXACT.length)) : value);
const pretty = (value) => harmlessLines(JSON.stringify(value, null, 2).replaceAll(new RegExp(`"${EXACT}(-?\\d+)"`, "g"), "$1"));

// ---- text in place -----------------------------------------------------------------------------------------------------
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = harmless(text);
  return made;
}

function put(node, text) {
  const wanted = harmless(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

function paint(node, className) {
  if (node.className !== className) node.className = className;
}

function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function show(node, isShown) {
  if (node.hidden === Boolean(isShown)) node.hidden = !isShown;
}

function button(text, className, action) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", () => {
    if (made.getAttribute("aria-disabled") !== "true") action();
  });
  return made;
}

// A button that can't be pressed now stays where the keyboard can reach it: disabling it would drop the focus.
const able = (node, can) => mark(node, "aria-disabled", can ? "false" : "true");

const children = new WeakMap();
// Make the children of a node those of a list, each known by its key: what stays is changed, not replaced.
function reconcile(parent, items, keyOf, make, update) {
  const held = children.get(parent) || new Map();
  children.set(parent, held);
  const wanted = new Map(items.map((item) => [keyOf(item), item]));
  let lostFocus = false;
  for (const [key, node] of held) {
    if (!wanted.has(key)) {
      lostFocus = lostFocus || node.contains(document.activeElement);
      node.remove();
      held.delete(key);
    }
  }
  let next = parent.firstElementChild;
  for (const [key, item] of wanted) {
    let node = held.get(key);
    if (!node) held.set(key, (node = make(item)));
    if (update) update(node, item);
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  if (lostFocus) (parent.closest("[tabindex]") || document.body).focus({ preventScroll: true });
}

// To a screen reader, which is told of what changed only, never of each drawing.
const announce = (text) => { $("announce").textContent = harmless(text); };

// ---- the stream --------------------------------------------------------------------------------------------------------
const token = () => sessionStorage.getItem("deskwatch-token") || "";
const headers = (more = {}) => (token() ? { Authorization: `Bearer ${token()}`, ...more } : more);
const bots = new Map();
let cursor = null; // positions in the journals up to which nothing was missed
let coming = null; // the same after a new snapshot, while what lies between is being fetched
let heard = 0; // when the sidecar was last heard, by our clock that never steps
let isWhole = false; // this connection has told the state of all bots
let road = ""; // which road the data comes by
let wake = () => {};

class Denied extends Error {}

async function getJson(path) {
  const response = await fetch(path, { headers: headers(), cache: "no-store", signal: AbortSignal.timeout(REQUEST_MS) });
  if (response.status === 401) throw new Denied("the sidecar wants a token");
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return parse(await response.text());
}

// Each road runs until it ends, and says whether it brought anything.
const ROADS = [["WebSocket", byWebSocket], ["SSE", bySse], ["polling", byPolling]];

async function follow() {
  for (let tries = 0, at = 0; ; ) {
    const [name, run] = ROADS[at];
    let brought = false;
    try {
      isWhole = false;
      brought = await run((message, size) => {
        road = name;
        tries = 0;
        take(message, size);
      });
    } catch (error) {
      if (error instanceof Denied) {
        if (token()) sessionStorage.removeItem("deskwatch-token"); // it is wrong; reading may need none
        else await askForToken();
        at = 0;
        continue;
      }
    }
    if (!brought) tries += 1;
    at = brought ? 0 : (at + 1) % ROADS.length;
    if (brought || at === 0) {
      const most = RETRY_MS[Math.min(Math.floor(tries / ROADS.length), RETRY_MS.length - 1)];
      await Promise.race([pause(most * (0.5 + Math.random())), new Promise((resolve) => { wake = resolve; })]);
    }
  }
}

function byWebSocket(got) {
  return new Promise((resolve) => {
    const target = new URL(cursor ? "stream?resume=1" : "stream", location.href);
    target.protocol = target.protocol.replace("http", "ws");
    const socket = new WebSocket(target, token() ? ["deskwatch.v1", `bearer.${token()}`] : []); // a page can't set headers
    let last = performance.now();
    let brought = false;
    const watch = setInterval(() => {
      if (performance.now() - last > (brought ? DEAD_MS : OPEN_MS)) end();
    }, 1000);
    const end = () => {
      clearInterval(watch);
      socket.onmessage = null;
      socket.close();
      resolve(brought);
    };
    socket.onopen = () => {
      if (cursor) socket.send(JSON.stringify({ type: "resume", cursor }));
    };
    socket.onmessage = ({ data }) => {
      last = performance.now();
      brought = true;
      got(parse(data), data.length);
    };
    socket.onclose = end;
    socket.onerror = () => {}; // the close follows
  });
}

async function bySse(got) {
  const stop = new AbortController();
  let last = performance.now();
  let brought = false;
  const watch = setInterval(() => {
    if (performance.now() - last > DEAD_MS) stop.abort();
  }, 1000);
  try {
    const id = cursor ? { "Last-Event-ID": base64url(JSON.stringify(cursor)) } : {};
    const response = await fetch("stream", { headers: headers({ Accept: "text/event-stream", ...id }), cache: "no-store", signal: stop.signal });
    if (response.status === 401) throw new Denied("the sidecar wants a token");
    if (!response.ok) {
      if (response.status < 500) cursor = null; // it may be too long for a header, or no cursor any more
      return false;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return brought;
      last = performance.now();
      const parts = (text + value).split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
        if (!data) continue;
        brought = true;
        got(parse(data), data.length);
      }
    }
  } catch (error) {
    if (error instanceof Denied) throw error;
    return brought;
  } finally {
    clearInterval(watch);
    stop.abort();
  }
}

async function byPolling(got) {
  const began = performance.now();
  for (let brought = false; ; brought = true) {
    let snapshot;
    try {
      snapshot = await getJson("snapshot");
      got({ ...snapshot, type: "polled" }, 0);
      await catchUp();
      cursor = snapshot.cursor || null; // only now: what was before it has been fetched
    } catch (error) {
      if (error instanceof Denied) throw error;
      return brought;
    }
    if (performance.now() - began > BETTER_ROAD_MS) return true;
    await pause(document.hidden ? 5 * POLL_MS : POLL_MS);
  }
}

function base64url(text) {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function take(message, size) {
  isWhole = isWhole || Boolean(message.bots);
  if (isWhole) heard = performance.now(); // a sidecar that is still reading its journals beats too, and tells nothing yet
  if (message.now) ahead = plain(message.now) - Date.now() / 1000;
  const whole = ["snapshot", "resumed", "polled"].includes(message.type);
  let urgent = false;
  if (message.bots) {
    if (whole) for (const name of [...bots.keys()]) if (!message.bots.some((bot) => bot.bot === name)) bots.delete(name);
    for (const bot of message.bots) {
      const before = bots.get(bot.bot);
      urgent = urgent || isUrgent(before, bot);
      if (before && before.mode.actual !== bot.mode.actual) announce(`${bot.bot}: ${bot.mode.actual}`);
      bots.set(bot.bot, bot);
    }
  }
  if (message.type === "snapshot") {
    coming = message.cursor || null;
    bridge(coming);
  } else if (message.cursor && message.type !== "polled") {
    if (coming) Object.assign(coming, message.cursor);
    else cursor = { ...cursor, ...message.cursor };
  }
  if (message.type === "events") addEvents(message.events, size);
  if (message.type === "dropped") console.info(`the sidecar let this page go: ${message.reason}`);
  draw(urgent);
}

function isUrgent(before, bot) {
  return !before || before.mode.actual !== bot.mode.actual || before.mode.desired !== bot.mode.desired || before.running !== bot.running ||
    JSON.stringify(before.commands) !== JSON.stringify(bot.commands);
}

// ---- drawing: at most ten times a second, not at all while nobody looks ---------------------------------------------------
let drawn = 0;
let planned = 0;
function draw(urgent = false) {
  if (document.hidden) return;
  const wait = urgent ? 0 : Math.max(0, drawn + DRAW_MS - performance.now());
  if (planned && !urgent) return;
  clearTimeout(planned);
  planned = setTimeout(() => {
    planned = 0;
    drawn = performance.now();
    drawLink();
    drawBots();
    drawFeed();
  }, wait);
}

let linkTold = "connecting";
const isLive = () => heard > 0 && performance.now() - heard < STALE_MS;

function drawLink() {
  const live = isLive();
  const seconds = Math.round((performance.now() - heard) / 1000);
  const text = live ? `● live · ${road}` : heard ? `○ no data for ${seconds} s – reconnecting` : "○ connecting …";
  put($("link"), text);
  paint($("link"), live ? "live" : "stale");
  document.body.classList.toggle("old", !live);
  show($("stale-banner"), !live && heard > 0);
  if (!live && heard) put($("stale-banner"), `What is shown is ${seconds} s old. The bots may have changed since; commands can still be tried.`);
  const state = live ? `live by ${road}` : heard ? "no data, reconnecting" : "connecting";
  if (state !== linkTold) announce((linkTold = state));
  const counts = {};
  for (const bot of bots.values()) counts[condition(bot)] = (counts[condition(bot)] || 0) + 1;
  const all = Object.keys(SIGNS).filter((name) => counts[name]).map((name) => `${counts[name]} ${name}`);
  put($("totals"), bots.size > 1 ? `${bots.size} bots: ${all.join(" · ")}` : "");
}

// ---- bots --------------------------------------------------------------------------------------------------------------
const folded = new Map(); // bot → whether a person closed or opened its card
const resources = new Map(); // bot → what its process uses
const processes = new Map(); // bot → its process, where this sidecar runs it
const isAlive = (bot) => Boolean(bot.last_event) && nowSeconds() - bot.last_event < SILENT_SECONDS;
const modeOf = (bot) => bot.mode.actual || "unknown";
const processOf = (bot) => processes.get(bot.bot) || {};
const watchesOf = (bot) => Object.values(bot.watches || {});
const mainWatch = (bot) => (bot.watches || {})[bot.writer || "main"] || null; // the source that speaks for the bot
const isUnwatched = (bot) => Boolean(mainWatch(bot) && mainWatch(bot).until);
// A source looks at it, and knows of no start and no mode: a wallet, or a bot that was never reached.
const isOnlyWatched = (bot) => watchesOf(bot).length > 0 && !bot.started && !bot.mode.actual;

// Of a bot that isn't there, the mode is past.
function condition(bot) {
  if (isUnwatched(bot)) return "unwatched";
  if (isOnlyWatched(bot)) {
    const links = Object.values(bot.connections);
    return links.length && !links.some((one) => one.up) ? "unreached" : "watched";
  }
  return !bot.running ? "stopped" : !isAlive(bot) ? "silent" : modeOf(bot);
}
const known = (name) => (name in SIGNS ? name : "unknown");

const byName = new Intl.Collator("en", { numeric: true });
function drawBots() {
  const shown = [...bots.values()].sort((one, other) => byName.compare(one.bot, other.bot));
  show($("no-bots"), !shown.length);
  reconcile($("cards"), shown, (bot) => bot.bot, makeCard, drawCard);
  offer("bot", shown.map((bot) => bot.bot));
}

function makeCard(bot) {
  const name = bot.bot;
  const card = element("article", "bot");
  const at = (card.at = {}); // its parts by name
  const add = (parent, key, tag, className, text) => parent.appendChild((at[key] = element(tag, className, text)));
  card.setAttribute("aria-label", harmless(name));
  const head = card.appendChild(element("div", "bot-head"));
  at.fold = head.appendChild(button("", "fold", () => {
    folded.set(name, !isFolded(name));
    drawBots();
  }));
  add(head, "name", "h2", "", name);
  add(head, "mode", "span", "mode");
  add(head, "desired", "span", "desired");
  add(head, "since", "span", "since");
  add(head, "glance", "span", "glance");
  at.actions = card.appendChild(element("div", "actions"));
  at.actions.setAttribute("role", "group");
  at.actions.setAttribute("aria-label", `Steer ${harmless(name)}`);
  at.buttons = ACTIONS.map((action) => {
    const made = button(action.title, `${action.tone || ""} ${action.always ? "" : "when-open"}`.trim(), () => (action.press ? action.press(name) : ask(name, action)));
    at.actions.append(made);
    return [action, made];
  });
  add(at.actions, "offers", "span", "offers when-open");
  add(card, "alerts", "ul", "alerts");
  const body = (at.body = card.appendChild(element("div", "body")));
  add(body, "commands", "ol", "commands");
  at.commands.setAttribute("aria-label", "Commands");
  add(body, "figures", "dl", "figures");
  at.curve = body.appendChild(makeCurve());
  for (const [key, columns] of Object.entries(TABLES)) body.append((at[key] = makeTable(columns, name)));
  add(body, "minds", "dl", "minds");
  return card;
}

const isFolded = (name) => (folded.has(name) ? folded.get(name) : bots.size > FEW_BOTS);

function drawCard(card, bot) {
  const at = card.at;
  const closed = isFolded(bot.bot);
  const state = condition(bot);
  const mode = modeOf(bot);
  paint(card, `bot ${closed ? "closed" : ""}`);
  put(at.fold, closed ? "▸" : "▾");
  mark(at.fold, "aria-expanded", String(!closed));
  mark(at.fold, "aria-label", `${closed ? "Show" : "Hide"} the details of ${harmless(bot.bot)}`);
  paint(at.mode, `mode ${known(state)}`);
  mark(at.mode, "data-sign", SIGNS[known(state)]);
  put(at.mode, state === mode ? mode : mode === "unknown" ? state : `${state}, was ${mode}`);
  const { desired, since, reason, actor } = bot.mode;
  const pending = Boolean(desired) && desired !== bot.mode.actual;
  put(at.desired, pending ? `asked for ${desired}, not confirmed` : "");
  show(at.desired, pending);
  const why = [since && `since ${clock(since)}`, actor && `by ${actor}`, reason].filter(Boolean).map((one) => cut(String(one), 160));
  put(at.since, why.join(" · "));
  put(at.glance, glance(bot));
  const totals = Object.values(bot.realized_pnl);
  paint(at.glance, `glance ${totals.length === 1 ? tone(totals[0]) : ""}`.trim());
  for (const [action, made] of at.buttons) {
    show(made, isOffered(action, bot));
    able(made, !action.done || !action.done(bot) || !isLive());
  }
  reconcile(at.offers, bot.offers || [], (offer) => offer.type, (offer) => {
    const made = button(`${capital(cut(offer.type.replaceAll("_", " "), 40))} …`, "", () => ask(bot.bot, ownCommand(bots.get(bot.bot), offer.type)));
    made.title = harmless(cut(offer.description || "", 300));
    return made;
  });
  drawAlerts(at.alerts, bot);
  show(at.body, !closed);
  if (closed) return;
  drawCommands(at.commands, bot);
  drawFigures(at.figures, figures(bot));
  drawCurve(at.curve, bot.equity_curve || []);
  drawTable(at.positions, positionRows(bot));
  drawTable(at.balances, balanceRows(bot));
  drawTable(at.prices, priceRows(bot));
  drawFigures(at.minds, minds(bot));
}

function glance(bot) {
  const pnl = Object.entries(bot.realized_pnl).map(([asset, amount]) => `${signed(amount)} ${asset}`);
  const held = Object.keys(bot.positions).length;
  if (isOnlyWatched(bot)) return watchesOf(bot).map((one) => cut(one.source, 40)).join(" ");
  return [pnl.slice(0, 2).join(" ") || "no PnL", `${held} open`, winRate(bot)].filter(Boolean).join(" · ");
}

const winRate = ({ counts }) => (counts.trades_closed ? `${Math.round((100 * counts.trades_won) / counts.trades_closed)} % won` : "");

function drawAlerts(list, bot) {
  const raised = Object.entries(bot.alerts).map(([key, one]) => [key, "critical", `${one.severity}: ${one.alert}`, [one.symbol, one.message].filter(Boolean).join(" · ")]);
  const down = Object.entries(bot.connections).filter(([, one]) => !one.up)
    .map(([key, one]) => [`down ${key}`, "warning", `${one.venue} ${one.connection} is down`, [one.reason, `since ${clock(one.at)}`].filter(Boolean).join(" · ")]);
  const unwatched = isUnwatched(bot) ? [["unwatched", "warning", "Nobody watches it any more", `${mainWatch(bot).source} was watched until ${clock(mainWatch(bot).until)}; what is shown is of then`]] : [];
  const silent = bot.running && !isAlive(bot) && !unwatched.length ? [["silent", "critical", "The bot is silent", `its last event came ${age(bot.last_event)}`]] : [];
  const { running, gave_up: gaveUp, exit_code: code, last_lines: lines } = processOf(bot);
  const words = [`exit code ${code ?? "not known"}`, ...(lines || []).slice(-1)].join(" · ");
  const ended = running === false ? [["process", gaveUp ? "critical" : "warning", gaveUp ? "The process died too often and is not started again" : "The process does not run", words]] : [];
  const all = [...unwatched, ...silent, ...ended, ...raised, ...down];
  show(list, all.length > 0);
  reconcile(list, all, (one) => one[0], () => {
    const item = element("li");
    item.append(element("b"), element("span"));
    return item;
  }, (item, [, level, title, more]) => {
    paint(item, level);
    put(item.firstChild, `▲ ${cut(title, 120)}`);
    put(item.lastChild, cut(more, 300));
  });
}

function drawCommands(list, bot) {
  const recent = (bot.commands || []).filter((one) => !FINAL.has(one.status) || nowSeconds() - (one.finished_at || one.accepted_at || 0) < 3600).slice(0, 5);
  show(list, recent.length > 0);
  reconcile(list, recent, (one) => one.id, () => {
    const item = element("li");
    item.append(element("b"), element("span", "status"), element("span", "quiet"));
    return item;
  }, (item, one) => {
    const [what, status, more] = item.children;
    put(what, one.type === "set_mode" && one.params && one.params.mode ? `set mode ${one.params.mode}` : one.type.replaceAll("_", " "));
    put(status, stepOf(one));
    paint(status, `status ${one.status}`);
    put(more, cut([one.actor && `by ${one.actor}`, one.accepted_at && clock(one.accepted_at), one.reason, one.error || waits(one)].filter(Boolean).join(" · "), 300));
  });
}

const waits = (one) => (!FINAL.has(one.status) && one.waiting_for ? `waiting for ${one.waiting_for}` : "");
const stepOf = (one) => (one.status === "succeeded" ? "confirmed" : one.status === "running" && one.reported ? "reported, not confirmed" : one.status);

// Each: key, label, value, class, note.
function figures(bot) {
  const counts = bot.counts;
  const own = resources.get(bot.bot) || {};
  const list = [];
  const add = (label, value, className = "", note = "") => list.push([`${label} ${note && list.some((one) => one[0] === label) ? note : ""}`.trim(), label, value, className, note]);
  for (const [asset, amount] of Object.entries(bot.realized_pnl)) list.push([`pnl ${asset}`, "Realized PnL", signed(amount), tone(amount), asset]);
  const trades = !isOnlyWatched(bot);
  if (trades && !Object.keys(bot.realized_pnl).length) add("Realized PnL", "–");
  for (const [asset, amount] of unrealized(bot)) list.push([`unrealized ${asset}`, "Unrealized PnL", signed(amount), tone(amount), asset]);
  for (const [asset, equity] of Object.entries(bot.equity)) list.push([`equity ${asset}`, "Equity", figure(equity), "", asset]);
  if (trades) add("Win rate", winRate(bot).replace(" won", "") || "–", "", `of ${figure(counts.trades_closed, 0)} trades`);
  if (trades) add("Open positions", figure(Object.keys(bot.positions).length, 0));
  if (trades && !missing(bot.open_orders)) add("Open orders", figure(bot.open_orders, 0));
  if (trades) add("Orders filled", figure(counts.orders_filled, 0), "", `of ${figure(counts.orders_submitted, 0)}${counts.orders_failed ? `, ${counts.orders_failed} failed` : ""}`);
  for (const [asset, spent] of Object.entries(bot.gas_spent)) list.push([`gas ${asset}`, "Gas spent", significant(spent), "", asset]);
  if (bot.gas_price_wei) add("Gas price", significant(Number(plain(bot.gas_price_wei)) / 1e9), "", "gwei");
  if (bot.head_block) add("Block", figure(bot.head_block, 0));
  add("Errors", figure(counts.errors, 0), counts.errors ? "warning" : "", bot.last_error ? age(bot.last_error.at) : "");
  if (!watchesOf(bot).length || !missing(own.rss_bytes)) { // what is only watched has its process elsewhere
    add("CPU", missing(own.cpu_ratio) ? "–" : `${figure(100 * own.cpu_ratio, 1)} %`, "", "of a core");
    add("Memory", bytes(own.rss_bytes));
  }
  const connections = Object.values(bot.connections);
  if (connections.length) {
    const up = connections.filter((one) => one.up).length;
    add("Connections", up === connections.length ? "all up" : `${up} of ${connections.length} up`, up === connections.length ? "" : "dead", cut(connections.map((one) => one.connection).join(", "), 60));
  }
  for (const [writer, one] of Object.entries(bot.watches || {})) list.push([`watch ${writer}`, "Watched", one.until ? `${cut(one.source, 40)}, no more` : cut(one.source, 40), one.until ? "dead" : "", cut(one.peer.replace(/^https?:\/\//, ""), 80)]);
  add("Last event", age(bot.last_event), isAlive(bot) || isOnlyWatched(bot) ? "" : "dead");
  if (bot.supervised) {
    const { running, pid, restarts } = processOf(bot);
    add("Process", running === undefined ? "–" : running ? `pid ${pid}` : "stopped", running === false ? "dead" : "", `${restarts || 0} restarts`);
  }
  return list;
}

// By asset: nothing is summed over assets.
function unrealized(bot) {
  const sums = new Map();
  for (const { asset, unrealized_pnl: amount } of Object.values(bot.positions)) {
    if (!missing(amount)) sums.set(asset, (sums.get(asset) || 0) + amount);
  }
  return sums;
}

function minds(bot) {
  const list = [];
  const { last_decision: decision, last_prediction: prediction, last_error: error, watchlist } = bot;
  if (decision) {
    const what = [decision.action, decision.symbol, !missing(decision.confidence) && `${figure(100 * decision.confidence, 0)} % sure`].filter(Boolean).join(" · ");
    list.push(["decision", "Last decision", cut(what, 200), "", `${decision.provider}, ${age(decision.at)}${decision.reasoning ? `: ${cut(decision.reasoning, 240)}` : ""}`]);
  }
  if (prediction) {
    const says = !missing(prediction.probability) ? `p ${figure(prediction.probability)}` : significant(prediction.value);
    list.push(["prediction", "Last prediction", cut([prediction.target, prediction.symbol, says].filter(Boolean).join(" · "), 200), "", `${prediction.provider}, ${age(prediction.at)}`]);
  }
  if (watchlist && watchlist.length) list.push(["watchlist", "Watchlist", cut(watchlist.join(" "), 400), "", ""]);
  if (error) list.push(["error", "Last error", cut(`${error.component || ""} ${error.kind || ""}: ${error.message || ""}`.trim(), 240), "warning", age(error.at)]);
  return list;
}

function drawFigures(list, all) {
  show(list, all.length > 0);
  reconcile(list, all, (one) => one[0], () => {
    const group = element("div");
    const data = element("dd");
    data.append(element("span"), element("small"));
    group.append(element("dt"), data);
    return group;
  }, (group, [, label, value, className, note]) => {
    put(group.firstChild, label);
    paint(group.lastChild, className);
    put(group.lastChild.firstChild, value);
    put(group.lastChild.lastChild, note);
  });
}

function makeCurve() {
  const box = element("figure", "curve");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const tag of ["polygon", "polyline"]) svg.append(document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 100 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  box.append(svg, element("figcaption"));
  return box;
}

function drawCurve(box, points) {
  show(box, points.length > 2);
  const last = points[points.length - 1];
  const drawnFor = points.length ? `${points.length} ${points[0]} ${last}` : "";
  if (points.length < 3 || box.drawnFor === drawnFor) return;
  box.drawnFor = drawnFor;
  const values = points.map((point) => point[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = last[0] - points[0][0] || 1;
  const x = (at) => ((100 * (at - points[0][0])) / span).toFixed(2);
  const y = (value) => (38 - (36 * (value - low)) / (high - low || 1)).toFixed(2);
  const line = points.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
  const [svg, caption] = box.children;
  svg.children[0].setAttribute("points", `0,40 ${line} 100,40`);
  svg.children[1].setAttribute("points", line);
  mark(svg, "aria-label", `Equity from ${figure(values[0])} to ${figure(last[1])}, between ${figure(low)} and ${figure(high)}`);
  put(caption, `Equity since ${clock(points[0][0])}: ${figure(values[0])} → ${figure(last[1])} (${signed(last[1] - values[0])}), low ${figure(low)}, high ${figure(high)}`);
}

// A column that begins with # holds numbers; the last one of the positions holds their button.
// A column that begins with #? is left out where no row has a number for it.
const TABLES = {
  positions: ["Open positions", "Symbol", "Side", "#Unrealized", "#Quantity", "#Entry", "#Mark", "#?Leverage", "#?Liquidation", ""],
  balances: ["Balances", "Asset", "Where", "#Amount", "Seen"],
  prices: ["Live prices", "Symbol", "Venue", "#Price", "#?24 h", "#?Volume 24 h", "Seen"],
};

function makeTable([title, ...columns]) {
  const box = element("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", title);
  const table = box.appendChild(element("table"));
  table.append(element("caption", "", title));
  const row = table.appendChild(element("thead")).appendChild(element("tr"));
  for (const column of columns) {
    const head = row.appendChild(element(column ? "th" : "td", column.startsWith("#") ? "number" : "", column.replace(/^#\??/, "")));
    if (column) head.scope = "col";
  }
  box.rows = table.appendChild(element("tbody"));
  box.heads = [...row.children];
  box.columns = columns;
  return box;
}

// Each row: key, cells as [text, class], and the action of its button.
function drawTable(box, rows) {
  show(box, rows.length > 0);
  const isFilled = box.columns.map((column, at) => !column.startsWith("#?") || rows.some((row) => row.cells[at][0] !== "–"));
  isFilled.forEach((filled, at) => show(box.heads[at], filled));
  reconcile(box.rows, rows, (row) => row.key, (row) => {
    const line = element("tr");
    for (const column of box.columns) line.append(element("td", column.startsWith("#") ? "number" : ""));
    if (row.press) {
      const made = button("Close …", "small", () => row.press());
      made.setAttribute("aria-label", `Close the position ${harmless(row.cells[0][0])} …`);
      line.lastChild.append(made);
    }
    return line;
  }, (line, row) => {
    row.cells.forEach(([text, className], at) => {
      put(line.children[at], text);
      show(line.children[at], isFilled[at]);
      paint(line.children[at], [box.columns[at].startsWith("#") ? "number" : "", className || ""].join(" ").trim());
    });
  });
}

const positionRows = (bot) => Object.entries(bot.positions).map(([key, one]) => ({
  key,
  cells: [[cut(String(one.symbol), 40)], [one.side], [missing(one.unrealized_pnl) ? "–" : signed(one.unrealized_pnl), tone(one.unrealized_pnl)],
    [significant(one.quantity)], [significant(one.entry_price)], [significant(one.mark_price)],
    [missing(one.leverage) ? "–" : `${significant(one.leverage, 3)}×`], [significant(one.liquidation_price)]],
  press: () => ask(bot.bot, closePosition(key, one)),
}));

const balanceRows = (bot) => Object.entries(bot.balances).map(([key, one]) => ({
  key,
  cells: [[cut(String(one.asset), 40)], [cut(String(one.venue), 40)], [significant(one.total, 8)], [age(one.at)]],
}));

// Of what is only watched a symbol may have a price while it is held, and none after.
const isFollowed = (bot, one) => !watchesOf(bot).length || nowSeconds() - one.at < PRICE_SECONDS;
const priceRows = (bot) => Object.entries(bot.prices).filter(([, one]) => isFollowed(bot, one)).map(([key, one]) => ({
  key,
  cells: [[cut(String(one.symbol), 40)], [cut(String(one.venue), 40)], [significant(one.price)], [percent(one.change_24h_ratio), tone(Math.round(1e4 * one.change_24h_ratio))],
    [short(one.volume_24h)], [age(one.at)]],
}));

async function readResources() {
  if (document.hidden || !isLive()) return;
  try {
    const answer = await getJson("resources");
    for (const [name, now] of Object.entries(answer.bots)) {
      const before = resources.get(name);
      const passed = before && before.started === now.started ? answer.now - before.at : 0;
      const ratio = passed > 0 ? Math.max(0, now.cpu_seconds - before.cpu_seconds) / passed : null;
      resources.set(name, { ...now, at: answer.now, cpu_ratio: ratio });
    }
    for (const name of [...resources.keys()]) if (!(name in answer.bots)) resources.delete(name);
  } catch {
    resources.clear(); // old figures are no figures
  }
  for (const bot of bots.values()) {
    try {
      if (bot.supervised) processes.set(bot.bot, await getJson(`bots/${encodeURIComponent(bot.bot)}/process`));
    } catch {
      processes.delete(bot.bot);
    }
  }
  draw();
}

// ---- activity ----------------------------------------------------------------------------------------------------------
const FILTERS = ["bot", "kind", "level", "provider", "symbol"];
const offered = { bot: new Set(), kind: new Set(), provider: new Set(), symbol: new Set() };
let events = []; // as they came, oldest first, without a gap
let older = []; // of the filter that is set: fetched page by page, newest first
let ids = new Set();
let held = 0; // bytes that the events came as
let frozen = null; // while the feed stands still: the events that it shows
let isTorn = false; // events were dropped between the oldest that is held and the older ones that were fetched
let waiting = 0; // events that came since
let isPaused = false;
let rows = ROWS;
let paging = null; // where the next older page begins; null: not known yet, "": there is none
let feedChanged = true;

const filters = () => Object.fromEntries(FILTERS.map((name) => [name, $(`filter-${name}`).value]));

function accepts(wanted, entry) {
  return (!wanted.bot || entry.bot === wanted.bot) && (!wanted.kind || entry.kind === wanted.kind) &&
    (!wanted.provider || entry.provider === wanted.provider) && (!wanted.symbol || entry.symbol === wanted.symbol) &&
    (!wanted.level || LEVELS.indexOf(entry.level) >= LEVELS.indexOf(wanted.level));
}

function addEvents(entries, size) {
  const wanted = filters();
  let last = events.length ? events[events.length - 1].ts : 0;
  let inOrder = true;
  for (const entry of entries) {
    if (ids.has(entry.id)) continue;
    ids.add(entry.id);
    const at = plain(entry.ts);
    inOrder = inOrder && at >= last;
    last = at;
    const weight = size / entries.length;
    events.push({ ...entry, ts: at, weight });
    held += weight;
    noteChoices(entry);
    if (frozen !== null && accepts(wanted, entry)) waiting += 1;
  }
  if (!inOrder) events.sort((one, other) => one.ts - other.ts);
  let drop = 0;
  while (events.length - drop > EVENTS_KEPT || (held > EVENTS_BYTES && drop < events.length)) {
    held -= events[drop].weight;
    ids.delete(events[drop].id);
    drop += 1;
  }
  if (drop) {
    events.splice(0, drop);
    isTorn = true;
    if (frozen === null) mend();
  }
  feedChanged = feedChanged || frozen === null;
}

function mend() {
  if (!isTorn) return;
  isTorn = false;
  older = [];
  paging = null;
}

function noteChoices(entry) {
  offer("provider", [entry.provider]);
  offer("symbol", [entry.symbol]);
  offer("kind", [entry.kind]);
}

function offer(name, values) {
  for (const value of values) {
    if (!value || offered[name].has(value) || offered[name].size >= CHOICES) continue;
    offered[name].add(value);
    const select = $(`filter-${name}`);
    if ([...select.options].some((option) => option.value === value)) continue;
    const option = element("option", "", cut(value, 60));
    option.value = value;
    select.append(option);
  }
}

// The newest events up to one that is known, so that none between is missed: what a stream's resume does, by asking.
let catching = Promise.resolve();
let isFilled = false;
let gap = 0; // events before this time could not be fetched any more: it is said, never hidden
function catchUp() {
  const before = new Set(events.slice(-2 * ROWS).map((entry) => entry.id)); // what comes by the stream meanwhile proves nothing
  catching = catching.catch(() => {}).then(async () => {
    const found = [];
    let size = 0;
    let page = {};
    let isClosed = false;
    for (let pages = 0; pages < 15 && (pages === 0 || page.next); pages += 1) {
      page = await getJson(`activity/recent?limit=${ROWS}${page.next ? `&before=${encodeURIComponent(page.next)}` : ""}`);
      found.push(...page.events);
      size += JSON.stringify(page.events).length;
      isClosed = (!isFilled && found.length > 0) || page.events.some((entry) => before.has(entry.id));
      if (isClosed) break;
    }
    if (!isClosed && before.size && found.length) gap = plain(found[found.length - 1].ts) / 1e9;
    if (!isFilled) paging = page.next || "";
    isFilled = true;
    addEvents(found.reverse(), size);
    draw();
  });
  return catching;
}

async function bridge(mine) {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      await catchUp();
      if (mine && coming === mine) [cursor, coming] = [mine, null];
      return;
    } catch {
      await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
    }
  }
}

// A page of what is older than the oldest that is shown; or, of a filter that was set just now, the newest.
let loading = 0;
async function loadOlder(isFresh = false) {
  if (loading && !isFresh) return; // it would ask for the same page again
  loading += 1;
  const asked = filters();
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) if (value) query.set(name, value);
  $("older").setAttribute("aria-busy", "true");
  try {
    for (let pages = 0, found = false; !found && pages < 5; pages += 1) {
      query.set("limit", paging === null && !isFresh ? "1000" : String(OLDER));
      if (paging) query.set("before", paging);
      const page = await getJson(`activity/recent?${query}`);
      if (JSON.stringify(asked) !== JSON.stringify(filters())) return; // another filter was set meanwhile
      const have = new Set([...older, ...(frozen || events)].map((entry) => entry.id));
      const more = page.events.filter((entry) => !have.has(entry.id));
      older.push(...more.map((entry) => ({ ...entry, ts: plain(entry.ts) })));
      for (const entry of more) noteChoices(entry);
      paging = page.next || "";
      found = more.length > 0 || !paging; // a page may be empty though there is a next one
    }
    older = older.slice(0, ROWS_MOST);
    if (!isFresh) rows = Math.min(ROWS_MOST, rows + OLDER);
  } catch {
    announce("older events could not be loaded");
  } finally {
    loading -= 1;
    $("older").setAttribute("aria-busy", String(loading > 0));
    feedChanged = true;
    draw();
  }
}

function drawFeed() {
  put($("pause"), isPaused ? `Resume${waiting ? ` (${waiting} new)` : ""}` : "Pause");
  mark($("pause"), "aria-pressed", String(isPaused));
  show($("newer"), frozen !== null && !isPaused && waiting > 0);
  put($("newer"), `↑ ${waiting} new`);
  if (!feedChanged) return;
  feedChanged = false;
  const wanted = filters();
  const recent = (frozen || events).filter((entry) => accepts(wanted, entry)).reverse();
  const have = new Set(recent.map((entry) => entry.id));
  const past = older.filter((entry) => !have.has(entry.id) && !(frozen && ids.has(entry.id)));
  const all = [...recent, ...past].sort((one, other) => other.ts - one.ts).slice(0, rows);
  reconcile($("feed"), all, (entry) => entry.id, makeRow);
  show($("no-events"), !all.length);
  show($("older"), paging !== "" && isFilled && rows < ROWS_MOST);
  const missed = gap ? ` · events before ${clock(gap)} were missed, look in the journal` : "";
  put($("feed-count"), all.length ? `${all.length} shown${missed}` : "");
  show($("clear"), Object.values(wanted).some(Boolean));
}

function makeRow(entry) {
  const item = element("li");
  const opener = element("button", `entry ${LEVELS.includes(entry.level) ? entry.level : ""}`);
  opener.type = "button";
  opener.dataset.id = entry.id;
  const time = element("time", "", clock(entry.ts / 1e9));
  const level = element("span", "level", LEVELS.indexOf(entry.level) >= 2 ? `▲ ${entry.level}` : "");
  opener.append(time, element("span", "who", entry.bot), element("b", "", entry.type.replaceAll("_", " ")), level, element("span", "what", cut(summary(entry.raw), 300)));
  opener.addEventListener("click", () => details(entry));
  item.append(opener);
  return item;
}

function summary(raw) {
  if (!raw || typeof raw !== "object") return "";
  const text = (value) => (value === null || value === undefined || typeof value === "object" ? "" : String(plain(value)));
  const parts = [
    !missing(raw.realized_pnl) && `${signed(plain(raw.realized_pnl))} ${text(raw.asset)}`,
    raw.type === "funding_paid" && !missing(raw.amount) && `${signed(plain(raw.amount), 4)} ${text(raw.asset)}`,
    text(raw.peer) && `${text(raw.source)} ${text(raw.peer)}`,
    text(raw.alert), text(raw.severity), text(raw.message), text(raw.action), text(raw.side), !missing(raw.quantity) && significant(plain(raw.quantity)),
    text(raw.symbol), text(raw.venue), text(raw.connection), raw.up === true ? "up" : raw.up === false ? "down" : "",
    ...[raw.price ?? (raw.type === "position_closed" ? raw.exit_price : raw.entry_price)].map((price) => !missing(price) && `at ${significant(plain(price))}`),
    text(raw.command), raw.params && text(raw.params.mode), text(raw.mode), text(raw.error), text(raw.reason), text(raw.actor) && `by ${text(raw.actor)}`, text(raw.purpose),
    text(raw.target), !missing(raw.probability) && `p ${figure(plain(raw.probability))}`,
    !missing(raw.expected_profit) && `expects ${figure(plain(raw.expected_profit))} ${text(raw.asset)}`, text(raw.provider), text(raw.reasoning)];
  return parts.filter(Boolean).join(" · ");
}

function details(entry) {
  put($("details-title"), entry.type.replaceAll("_", " "));
  const facts = [["Bot", entry.bot], ["Kind", entry.kind], ["Level", entry.level], ["At", exactTime(entry)], ...happenedEarlier(entry), ["Id", entry.id]];
  reconcile($("details-facts"), facts.map(([label, value]) => [label, label, value, "", ""]), (one) => one[0], () => {
    const group = element("div");
    group.append(element("dt"), element("dd"));
    return group;
  }, (group, [, label, value]) => {
    put(group.firstChild, label);
    put(group.lastChild, value);
  });
  $("details-text").textContent = pretty(entry.raw);
  $("details-copied").textContent = "";
  $("details").showModal();
  $("details-text").scrollTop = 0;
}

function happenedEarlier(entry) {
  const happened = Number(plain((entry.raw && entry.raw.happened_timestamp_seconds) ?? NaN));
  if (!Number.isFinite(happened)) return [];
  const at = new Date(happened * 1000);
  const earlier = entry.ts / 1e9 - happened;
  return [["Happened", Number.isNaN(at.getTime()) ? String(happened) : `${at.toISOString()}${earlier > 0 ? `, ${span(earlier)} earlier` : ""}`]];
}

function exactTime(entry) {
  const at = new Date(entry.ts / 1e6);
  return Number.isNaN(at.getTime()) ? String(entry.ts) : at.toISOString();
}

async function copyDetails() {
  try {
    await navigator.clipboard.writeText($("details-text").textContent);
    put($("details-copied"), "copied");
  } catch { // where the browser forbids it (plain http elsewhere than on this machine), the text is selected to be copied by hand
    getSelection().selectAllChildren($("details-text"));
    put($("details-copied"), "selected: copy it with Ctrl+C");
  }
}

function freeze(isFrozen) {
  if ((frozen !== null) === isFrozen) return;
  frozen = isFrozen ? events.slice() : null;
  if (!isFrozen) {
    waiting = 0;
    mend();
    feedChanged = true;
  }
  draw(true);
}

function goOn() {
  isPaused = false;
  rows = ROWS;
  $("feed-scroll").scrollTop = 0;
  freeze(false);
}

function filterChanged() {
  older = [];
  paging = null;
  rows = ROWS;
  waiting = 0;
  feedChanged = true;
  $("feed-scroll").scrollTop = 0;
  draw(true);
  loadOlder(true);
}

// ---- commands ----------------------------------------------------------------------------------------------------------
const inMode = (mode) => (bot) => bot.mode.actual === mode && (!bot.mode.desired || bot.mode.desired === mode) && bot.running;
const setMode = (mode, title, effect, more) => ({ title, effect, mode, name: mode, method: "PUT", path: (bot) => `bots/${encodeURIComponent(bot)}/mode`, body: () => ({ mode }), done: inMode(mode), ...more });
const command = (type, title, effect, more) => ({ title, effect, name: type, method: "POST", path: (bot) => `bots/${encodeURIComponent(bot)}/commands`, body: () => ({ type }), ...more });
const processAction = (action, title, effect, more) => ({ title, effect, process: action, method: "POST", path: (bot) => `bots/${encodeURIComponent(bot)}/process/${action}`, body: () => ({}), when: (bot) => bot.supervised, ...more });
// What a source can do to what it watches, where that is not what the button says of a bot that has a journal of its own.
const EFFECTS = {
  freqtrade: {
    active: "freqtrade is started: it opens and closes trades by its strategy.",
    standby: "freqtrade is paused: it opens no new trades, and goes on managing those that are open.",
    closing: "freqtrade is paused and exits all its open trades; when it holds none, it stands by.",
    halted: "freqtrade is stopped. Open trades stay open, and it does not manage them any more: no stop loss and no exit, but for what lies at the exchange. To be out of the market, use Close only first.",
    close_all: "freqtrade exits all its open trades. Unless it is paused, it may open new ones.",
    cancel_orders: "freqtrade cancels the open orders of its trades.",
  },
  hummingbot: {
    active: "Hummingbot's strategy is started.",
    standby: "Hummingbot knows no standby: its strategy runs, or is stopped (Halt). This command will fail.",
    closing: "Hummingbot can't be asked to close what it holds. This command will fail.",
    halted: "Hummingbot's strategy is stopped, and its orders are canceled. What it holds stays.",
    close_all: "Hummingbot can't be asked to close what it holds. This command will fail.",
    cancel_orders: "Hummingbot cancels its orders only when its strategy is stopped (Halt). This command will fail.",
    reload_config: "Hummingbot reads its configuration when its strategy starts: Halt it, then start it. This command will fail.",
  },
};
const effectOf = (bot, action) => ((mainWatch(bot) && EFFECTS[mainWatch(bot).source]) || {})[action.name] || action.effect;
// What nobody can steer has no buttons but the one that asks whether it is there.
const isOffered = (action, bot) => (!action.when || action.when(bot)) && !isUnwatched(bot) && (action.name === "ping" || !isOnlyWatched(bot));
const isNew = (bot) => bot.commands !== undefined; // the sidecar knows the newer commands

const ACTIONS = [
  setMode("active", "Start monitoring", "The bot goes to active: it watches the market and trades."),
  setMode("standby", "Standby", "The bot will open nothing new. It may still close what it holds.", { always: true }),
  setMode("closing", "Close only", "The bot will reduce what it holds until it is flat, then stand by."),
  command("close_all", "Close all", "The bot will close everything it holds.", { tone: "danger" }),
  command("cancel_orders", "Cancel orders", "The bot will cancel its open orders.", { when: isNew }),
  setMode("halted", "Halt", "The bot will send nothing at all, not even orders that close, until a person sets another mode.", { tone: "danger", always: true, hurried: true }),
  processAction("restart", "Restart", "The bot's process is stopped (it is given time to end), then started again. It never comes back in a riskier mode than it had."),
  processAction("stop", "Stop process", "The bot's process is asked to end, and killed when it does not.", { when: (bot) => bot.supervised && processOf(bot).running }),
  processAction("start", "Start process", "The bot's configured command is started.", { when: (bot) => bot.supervised && processOf(bot).running === false }),
  processAction("kill", "Kill", "The cancel-all hook is run, then the bot's process is killed at once. For a bot that hangs.", { tone: "danger" }),
  { title: "Output …", press: output, when: (bot) => bot.supervised },
  command("ping", "Ping", "Asks whether the bot's own code answers.", { hurried: true }),
  command("set_watchlist", "Watchlist …", "The bot will watch these symbols in place of those it watches now.", {
    when: isNew, input: "Symbols, with spaces between", start: (bot) => (bot.watchlist || []).join(" "),
    body: (text) => ({ type: "set_watchlist", params: { symbols: text.split(/[\s,]+/).filter(Boolean) } }),
  }),
  command("reload_config", "Reload config", "The bot will read its configuration again.", { when: isNew }),
];

const closePosition = (key, one) => command("close_position", `Close ${cut(String(one.symbol), 40)}`,
  `The bot will close this position: ${one.side} ${significant(one.quantity)} ${cut(String(one.symbol), 40)}.`, { body: () => ({ type: "close_position", params: { position_id: key } }) });

// What an object of this schema may hold: a Struct's is in its definitions, named by `$ref`.
function propertiesOf(schema) {
  const { $ref: ref, $defs: definitions } = schema || {};
  const named = typeof ref === "string" && definitions ? definitions[ref.replace("#/$defs/", "")] : null;
  return Object.entries((named || schema || {}).properties || {}).slice(0, 20);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// A command of the bot's own; its parameters are given as JSON, begun by what its schema names.
function ownCommand(bot, type) {
  const offer = (bot.offers || []).find((one) => one.type === type) || { type };
  const properties = propertiesOf(offer.schema);
  const told = properties.map(([name, schema]) => schema && typeof schema.description === "string" && `${name}: ${schema.description}`).filter(Boolean).join("; ");
  const begun = Object.fromEntries(properties.map(([name, schema]) => [name, schema && schema.default !== undefined ? schema.default : null]));
  return command(type, capital(type.replaceAll("_", " ")), cut(offer.description || "A command of the bot's own.", 500), {
    input: properties.length ? cut(`Parameters, as JSON${told && ` (${told})`}`, 300) : "",
    start: () => JSON.stringify(begun, (_, value) => plain(value)),
    body: (text) => ({ type, params: properties.length ? JSON.parse(text) : {} }),
  });
}

// The last lines that a supervised bot wrote.
async function output(name) {
  try {
    const { lines } = await getJson(`bots/${encodeURIComponent(name)}/logs?lines=300`);
    reconcile($("details-facts"), [], (one) => one, () => element("div"));
    put($("details-title"), `Output of ${name}`);
    $("details-text").textContent = harmlessLines(lines.join("\n")) || "It has written nothing.";
    put($("details-copied"), "");
    $("details").showModal();
    $("details-text").scrollTop = $("details-text").scrollHeight;
  } catch (error) {
    if (!(error instanceof Denied)) return announce(`the output can't be shown: ${error.message}`);
    await askForToken();
    if (token()) output(name);
  }
}

let asking = null; // what the dialogue is about
let submitted = () => {};

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");

function ask(name, action) {
  const bot = bots.get(name);
  if (!bot) return;
  asking = { name, action, key: newKey(), etag: bot.mode.etag, from: bot.mode.actual, body: null };
  put($("ask-title"), `${action.title.replace(" …", "")}: ${name}`);
  put($("ask-text"), effectOf(bot, action));
  put($("ask-now"), `Now: ${condition(bot)}${condition(bot) === modeOf(bot) ? "" : `, was ${modeOf(bot)}`}${isLive() ? "" : " (old data)"}`);
  $("ask-reason").value = "";
  $("ask-reason").required = !action.hurried;
  show($("ask-input-label"), Boolean(action.input));
  put($("ask-input-name"), action.input || "");
  $("ask-input").value = action.start ? action.start(bot) : "";
  show($("ask-reason-label"), true);
  ready(!token(), "Send");
  steps(null);
  put($("ask-progress"), "");
  submitted = send;
  $("ask").showModal();
  ($("ask-input-label").hidden ? $("ask-reason") : $("ask-input")).focus();
}

// The dialogue waits to be sent; `isWrongToken` asks for another token.
function ready(wantsToken, label) {
  $("ask-token").value = "";
  show($("ask-token-label"), wantsToken);
  $("ask-token").required = !token();
  put($("ask-go"), label);
  put($("ask-cancel"), "Cancel");
  $("ask-go").disabled = false;
  $("ask-go").hidden = false;
  const isFixed = Boolean(asking && asking.body); // it may have arrived: under its key, only the same may be sent again
  $("ask-reason").readOnly = isFixed;
  $("ask-input").readOnly = isFixed;
}

function steps(one) {
  const at = !one ? -1 : one.status === "accepted" ? 0 : one.status === "succeeded" ? 3 : one.reported ? 2 : one.status === "running" ? 1 : -1;
  show($("ask-steps"), Boolean(one));
  [...$("ask-steps").children].forEach((step, index) => {
    paint(step, index < at || at === 3 ? "done" : index === at ? "now" : "");
    if (index === at) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
}

async function send() {
  const { name, action } = asking;
  const mine = asking;
  const progress = (text) => { if (asking === mine) put($("ask-progress"), cut(text, 500)); };
  if ($("ask-token").value) sessionStorage.setItem("deskwatch-token", $("ask-token").value.trim());
  if (!mine.body) {
    const reason = $("ask-reason").value.trim();
    try {
      mine.body = JSON.stringify({ ...action.body($("ask-input").value), reason: reason || null });
    } catch (error) {
      return progress(`Not sent: the parameters are no JSON: ${error.message}`);
    }
  }
  const more = { "Content-Type": "application/json", "Idempotency-Key": mine.key };
  const raises = action.mode && (RISK[action.mode] ?? 0) > (RISK[mine.from] ?? 0);
  if (raises && mine.etag) more["If-Match"] = `"${mine.etag}"`;
  $("ask-go").disabled = true;
  $("ask-reason").readOnly = true;
  $("ask-input").readOnly = true;
  progress("sending …");
  let answer;
  let text;
  try {
    answer = await fetch(action.path(name), { method: action.method, body: mine.body, headers: headers(more), signal: AbortSignal.timeout(action.process ? PROCESS_MS : REQUEST_MS) });
    text = await answer.text();
  } catch (error) {
    progress(action.process
      ? `No answer (${error.message}). Whether it was done is not known: look at the process before you try again.`
      : `No answer (${error.message}). It may have arrived; sending it again can't do it twice.`);
    if (asking === mine) ready(!token(), "Send again");
    return;
  }
  let result = {};
  try {
    result = parse(text);
  } catch {
    result = { detail: `an answer that is no JSON, ${answer.status}` };
  }
  if (!answer.ok) return notAccepted(mine, answer.status, result, progress);
  if (action.process) {
    processes.set(name, result);
    draw(true);
    steps(null);
    progress(`Done by the sidecar: ${result.running === false || (result.pid ?? null) === null ? "the process does not run" : `the process runs, pid ${result.pid}`}.`);
    $("ask-go").hidden = true;
    put($("ask-cancel"), "Close");
    return;
  }
  put($("ask-cancel"), "Close (it goes on)"); // what becomes of it is on the bot's card
  await watch(mine, result, progress);
}

function notAccepted(mine, status, problem, progress) {
  const detail = typeof problem.detail === "string" ? problem.detail : JSON.stringify(problem.detail ?? problem.title ?? status);
  if (status === 401) sessionStorage.removeItem("deskwatch-token");
  const bot = bots.get(mine.name);
  if (status < 500) { // it was refused: what is sent next is a new intention
    mine.body = null;
    mine.key = newKey();
  }
  if (status === 412 && bot) {
    mine.etag = bot.mode.etag;
    mine.from = bot.mode.actual;
    progress(`Not sent on: the mode was changed meanwhile. It is ${modeOf(bot)} now${bot.mode.actor ? `, by ${bot.mode.actor}` : ""}${bot.mode.reason ? ` (${bot.mode.reason})` : ""}. Send it again only if you still want it.`);
    put($("ask-now"), `Now: ${condition(bot)}`);
    refreshTag(mine);
  } else progress(status === 401 ? `Not accepted: the token is missing or wrong. ${detail}` : status === 403 ? `Not accepted: this token may not do that. ${detail}` : `Not accepted: ${detail}`);
  if (asking === mine) ready(status === 401 || status === 403, "Send");
}

async function refreshTag(mine) {
  try {
    const { bot } = await getJson(`bots/${encodeURIComponent(mine.name)}/snapshot`);
    mine.etag = bot.mode.etag;
    mine.from = bot.mode.actual;
    if (asking === mine) put($("ask-now"), `Now: ${condition(bot)}`);
  } catch { /* the stream brings it */ }
}

async function watch(mine, first, progress) {
  let one = first;
  for (let ms = 150; ; ms = Math.min(1000, ms * 1.3)) {
    if (asking === mine) steps(one);
    progress(tell(one));
    if (FINAL.has(one.status)) break;
    await pause(ms);
    try {
      one = await getJson(`commands/${encodeURIComponent(first.id)}`);
    } catch (error) {
      progress(`${tell(one)} The sidecar can't be asked now (${error.message}); trying again.`);
      if (error instanceof Denied) return;
    }
    if (asking !== mine) return; // the card shows the rest
  }
  const text = `${mine.action.title.replace(" …", "")}, ${mine.name}: ${one.status === "succeeded" ? "confirmed by the bot" : one.status}`;
  announce(text);
  if (asking !== mine) return;
  $("ask-go").hidden = true;
  put($("ask-cancel"), "Close");
  if (one.status === "succeeded") setTimeout(() => { if (asking === mine) $("ask").close(); }, CLOSE_AFTER_MS);
}

function tell(one) {
  switch (one.status) {
    case "accepted": return "Accepted, waiting for the bot to take it up …";
    case "running": return one.reported ? `The bot says it is done; not confirmed yet, waiting for ${one.waiting_for || "its state to show it"} …` : "Running, waiting for the bot to finish it …";
    case "succeeded": return "Confirmed by the bot.";
    case "failed": return `Failed: ${one.error || "the bot said no more"}`;
    case "refused": return `Refused: ${one.error || "no reason was given"}`;
    case "expired": return "Expired: the bot did not take it up in time. It will not be done later.";
    case "unknown": return `Unknown: ${one.error || "it was started, but whether it was done can't be known"}. Look at the bot before you do anything else.`;
    default: return one.status;
  }
}

// Ask for the token that reading needs, or for another one.
function askForToken() {
  asking = null;
  put($("ask-title"), "Token");
  put($("ask-text"), "The operator's token is in the file “token” in the sidecar's home folder. It is kept until this tab is closed.");
  put($("ask-now"), "");
  put($("ask-progress"), "");
  steps(null);
  show($("ask-input-label"), false);
  show($("ask-reason-label"), false);
  $("ask-reason").required = false;
  ready(true, "Use it");
  return new Promise((resolve) => {
    submitted = () => {
      sessionStorage.setItem("deskwatch-token", $("ask-token").value.trim());
      $("ask").close();
    };
    $("ask").addEventListener("close", resolve, { once: true });
    if (!$("ask").open) $("ask").showModal();
    $("ask-token").focus();
  });
}

// ---- start -------------------------------------------------------------------------------------------------------------
$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault(); // the dialogue stays open until the bot has answered
  submitted();
});
$("ask-cancel").addEventListener("click", () => $("ask").close());
$("ask").addEventListener("close", () => { asking = null; });
$("token-button").addEventListener("click", askForToken);
$("details-copy").addEventListener("click", copyDetails);
for (const name of FILTERS) $(`filter-${name}`).addEventListener("change", filterChanged);
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("clear").addEventListener("click", () => {
  for (const name of FILTERS) $(`filter-${name}`).value = "";
  filterChanged();
  $("filter-bot").focus();
});
$("pause").addEventListener("click", () => {
  if (isPaused) return goOn();
  isPaused = true;
  freeze(true);
});
$("newer").addEventListener("click", goOn);
$("older").addEventListener("click", () => loadOlder());
$("feed-scroll").addEventListener("scroll", () => {
  const view = $("feed-scroll");
  if (!isPaused) freeze(view.scrollTop > 40);
  const isNearEnd = view.scrollTop + view.clientHeight > view.scrollHeight - 200;
  if (isNearEnd && view.scrollTop > 40 && !$("older").hidden) loadOlder();
}, { passive: true });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  wake();
  feedChanged = true;
  draw(true);
  readResources();
});
window.addEventListener("online", () => wake());
setInterval(draw, 1000);
setInterval(readResources, RESOURCES_MS);
setTimeout(readResources, 500);
setTimeout(readResources, 1700);
follow();
