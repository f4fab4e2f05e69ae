// A client of the hub: one connection, replaced when it is lost; what is watched goes on after the last event seen.

const KEY_MISSING = 4503;
const TOO_MANY_CONNECTIONS = 4504;
const ORIGIN_REFUSED = 4505;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
const STABLE_MS = 30_000;
// A result of 512 KiB takes over a minute at 8 KiB/s, the slowest that the server puts up with, and nothing is heard of it until it is whole.
const SILENCE_MS = 90_000;

export class Hub {
  #url;
  #onState;
  #bringKey;
  #socket;
  #tries = 0;
  #references = 0;
  #asked = new Map();
  #watches = new Map();
  #retryAfterMs = 0;
  #openedAt;
  #heardAt = 0;
  #timer;
  #refusal;

  /**
   * @param url ws://host:port/ws
   * @param onState called with 'connecting', 'open', 'lost' (a new try follows) or 'refused' (none does), and a reason
   * @param bringKey gives an API key or nothing; called with true when the server has asked for one, or for another than the last
   */
  constructor(url, onState, bringKey = () => undefined) {
    this.#url = url;
    this.#onState = onState;
    this.#bringKey = bringKey;
    this.#connect();
    globalThis.addEventListener?.('online', () => this.#retryNow());
  }

  /** Sends a command and resolves to its answer. Rejects when the server refuses, or when the connection is lost before it answers. */
  ask(action, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error('not connected'));
    }
    const ref = `r${++this.#references}`;
    return new Promise((resolve, reject) => {
      this.#asked.set(ref, { resolve, reject });
      this.#send({ action, ref, ...fields });
      this.#expect(ref, this.#socket);
    });
  }

  /**
   * Calls `onEvent` with every event of an execution, once and in order, and with `truncated` for those that are gone. Before them, and again
   * after a lost connection, with `subscribed`, which has the execution's status at that time.
   */
  watch(id, onEvent, onError) {
    const watch = { id, onEvent, onError, next: 1, epoch: undefined };
    this.#watches.set(id, watch);
    this.#subscribe(watch);
  }

  unwatch(id) {
    if (this.#watches.delete(id)) {
      this.#send({ action: 'unsubscribe', id });
    }
  }

  #connect(key = this.#bringKey(false)) {
    this.#onState('connecting', this.#url);
    this.#openedAt = Infinity;
    let socket;
    try {
      socket = this.#socket = new WebSocket(this.#url, key ? ['harness', `harness.key.${base64url(key)}`] : []);
    } catch (error) {
      this.#refusal = error.message;
      this.#onState('refused', this.#refusal);
      return;
    }
    socket.onopen = () => {
      this.#openedAt = performance.now();
      this.#send({ action: 'hello' });
      this.#watches.forEach((watch) => this.#subscribe(watch));
      this.#onState('open', this.#url);
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      this.#take(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => this.#lose(code, reason);
  }

  // A network that is gone without a word is noticed by a question that is not answered while nothing else comes either.
  #expect(ref, socket) {
    const askedAt = performance.now();
    setTimeout(() => {
      if (!this.#asked.has(ref) || socket !== this.#socket) {
        return;
      }
      if (this.#heardAt > askedAt) {
        this.#expect(ref, socket);
        return;
      }
      socket.onmessage = socket.onclose = null;
      socket.close();
      this.#lose(1006, 'the server does not answer');
    }, SILENCE_MS);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  #subscribe(watch) {
    const { id, next, epoch } = watch;
    watch.ref = `r${++this.#references}`;
    watch.isSubscribed = false;
    // With typed events too the numbers have no gaps, so that one would be seen.
    this.#send({ action: 'subscribe', id, from: next, epoch, events: true, ref: watch.ref });
  }

  #take(frame) {
    const asked = this.#asked.get(frame.ref);
    // An error need not say of which execution.
    const watch = this.#watches.get(frame.id) ?? [...this.#watches.values()].find(({ ref }) => ref === frame.ref);
    if (asked) {
      this.#asked.delete(frame.ref);
      frame.type === 'error' ? asked.reject(new Error(frame.message)) : asked.resolve(frame);
    } else if (frame.type === 'closing') {
      this.#retryAfterMs = frame.retry_after_ms;
    } else if (watch && frame.ref === watch.ref) {
      this.#takeAnswer(watch, frame);
    } else if (watch?.isSubscribed) {
      // What comes before was on its way already, from an earlier subscription to the same execution.
      this.#takeEvent(watch, frame);
    }
  }

  #takeAnswer(watch, frame) {
    if (frame.type === 'error') {
      this.#watches.delete(watch.id);
      watch.onError(new Error(frame.message));
    } else if (frame.type === 'subscribed') {
      watch.isSubscribed = true;
      if (watch.epoch && watch.epoch !== frame.epoch) {
        // The server lost this log and has another one, which begins with 1.
        watch.next = 1;
      }
      watch.epoch = frame.epoch;
      watch.onEvent(frame);
    }
  }

  #takeEvent(watch, frame) {
    if (frame.type === 'truncated') {
      watch.next = Math.max(watch.next, frame.to + 1);
      watch.onEvent(frame);
    } else if (frame.seq > watch.next) {
      this.#watches.delete(watch.id);
      watch.onError(new Error(`the server left out events ${watch.next} to ${frame.seq - 1}`));
    } else if (frame.seq === watch.next) {
      watch.next++;
      this.#tries = 0;
      if (frame.type === 'result') {
        this.#watches.delete(watch.id);
      }
      watch.onEvent(frame);
    }
  }

  #lose(code, reason) {
    this.#asked.forEach(({ reject }) => reject(new Error('the connection was lost')));
    this.#asked.clear();
    const key = code === KEY_MISSING && this.#bringKey(true);
    if (key) {
      this.#connect(key);
      return;
    }
    if (code === KEY_MISSING || code === ORIGIN_REFUSED) {
      this.#refusal = reason || `close code ${code}`;
      this.#onState('refused', this.#refusal);
      return;
    }
    if (performance.now() - this.#openedAt > STABLE_MS) {
      this.#tries = 0;
    }
    // Twice as long every time that nothing came of it, and never exactly that long: the clients of a server that restarts must not all come at once.
    const most = code === TOO_MANY_CONNECTIONS ? LONGEST_WAIT_MS : Math.min(FIRST_WAIT_MS * 2 ** this.#tries++, LONGEST_WAIT_MS);
    const wait = this.#retryAfterMs + most * (0.5 + Math.random() / 2);
    this.#retryAfterMs = 0;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#onState('lost', reason || `close code ${code}`);
  }

  #retryNow() {
    if (!this.#refusal && this.#socket.readyState === WebSocket.CLOSED) {
      clearTimeout(this.#timer);
      this.#connect();
    }
  }
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
