// Shows the lines of one execution. Long logs keep the page small: so many lines are remembered, so many of them are in the page.

// Up to twice as much between two times that the oldest are forgotten.
const REMEMBERED = 50_000;
const REMEMBERED_CHARACTERS = 16_000_000;
const SHOWN = 1_000;
const SHOWN_CHARACTERS = 4_000;
const DRAW_EVERY_MS = 100;

export class Log {
  #list;
  #summary;
  #jump;
  #lines = [];
  #characters = 0;
  #pending = [];
  #received = 0;
  #filter = '';
  #isFollowing = true;
  #isBehind = false;
  #top = 0;
  #size;
  #timer = 0;

  constructor({ list, summary, jump }) {
    this.#list = list;
    this.#summary = summary;
    this.#jump = jump;
    list.addEventListener('scroll', () => this.#takeScroll());
    new ResizeObserver(() => this.#fit()).observe(list);
    jump.addEventListener('click', () => this.#render());
  }

  clear() {
    this.#lines = [];
    this.#characters = 0;
    this.#pending = [];
    this.#received = 0;
    this.#render();
  }

  /** @param line { seq, time, text, kind } */
  add(line) {
    this.#received++;
    this.#lines.push(line);
    this.#characters += line.text.length;
    this.#pending.push(line);
    if (this.#lines.length > 2 * REMEMBERED || this.#characters > 2 * REMEMBERED_CHARACTERS) {
      this.#forget();
    }
    if (this.#pending.length > 2 * SHOWN) {
      this.#thinOut();
    }
    this.#timer ||= setTimeout(() => this.#append(), DRAW_EVERY_MS);
  }

  set filter(text) {
    this.#filter = text.toLowerCase();
    this.#render();
  }

  #forget() {
    let count = 0;
    while (this.#lines.length - count > REMEMBERED || this.#characters > REMEMBERED_CHARACTERS) {
      this.#characters -= this.#lines[count++].text.length;
    }
    this.#lines.splice(0, count);
  }

  // More than the page will show came since it was last drawn.
  #thinOut() {
    if (!this.#isFollowing) {
      this.#append();
      return;
    }
    const wanted = this.#pending.filter((line) => this.#isWanted(line));
    this.#pending = wanted.slice(-SHOWN);
    // Who scrolls up before they are drawn must not get them right below older ones.
    this.#isBehind ||= wanted.length > SHOWN;
  }

  #isWanted(line) {
    return line.text.toLowerCase().includes(this.#filter);
  }

  // Only a person leaves the newest lines, upwards. A window that is turned or made narrower scrolls too.
  #takeScroll() {
    const isUpwards = this.#list.scrollTop < this.#top && this.#size === sizeOf(this.#list);
    this.#top = this.#list.scrollTop;
    if (isUpwards || this.#isAtEnd()) {
      this.#follow(this.#isAtEnd());
    }
  }

  #isAtEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
  }

  #follow(isFollowing) {
    this.#isFollowing = this.#jump.hidden = isFollowing;
    if (isFollowing && this.#isBehind) {
      this.#render();
    }
  }

  #fit() {
    this.#size = sizeOf(this.#list);
    if (this.#isFollowing) {
      this.#scrollToEnd();
    }
  }

  #scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#top = this.#list.scrollTop;
  }

  #render() {
    this.#list.replaceChildren();
    this.#pending = [];
    this.#isFollowing = true;
    this.#isBehind = false;
    this.#jump.hidden = true;
    for (let index = this.#lines.length - 1; index >= 0 && this.#pending.length < SHOWN; index--) {
      if (this.#isWanted(this.#lines[index])) {
        this.#pending.unshift(this.#lines[index]);
      }
    }
    this.#append();
  }

  #append() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const lines = this.#takeRoom(this.#pending.filter((line) => this.#isWanted(line)));
    const rows = document.createDocumentFragment();
    rows.append(...lines.map((line) => createRow(line, () => this.#follow(this.#isAtEnd()))));
    this.#pending = [];
    this.#list.append(rows);
    while (this.#list.childElementCount > SHOWN) {
      this.#list.firstElementChild.remove();
    }
    if (this.#isFollowing) {
      this.#scrollToEnd();
    }
    const shown = this.#list.childElementCount;
    this.#summary.dataset.received = this.#received;
    this.#summary.textContent = `${this.#received.toLocaleString('en')} lines`
      + (this.#filter ? `, ${shown.toLocaleString('en')} shown that have “${this.#filter}”`
        : this.#isBehind ? ', newer ones wait below'
          : shown < this.#received ? `, the newest ${shown.toLocaleString('en')} shown` : '');
  }

  // Who reads older lines keeps them: nothing is taken out above, and what the page has no room for waits until the newest lines are wanted.
  #takeRoom(lines) {
    if (this.#isFollowing) {
      this.#isBehind = false;
      return lines.slice(-SHOWN);
    }
    const room = this.#isBehind ? 0 : SHOWN - this.#list.childElementCount;
    this.#isBehind ||= lines.length > room;
    return lines.slice(0, room);
  }
}

function sizeOf({ clientWidth, clientHeight }) {
  return `${clientWidth}×${clientHeight}`;
}

/** @param onOpen called when the rest of a long line has been opened */
function createRow({ seq, time, text, kind }, onOpen) {
  const row = document.createElement('li');
  row.className = kind;
  row.dataset.seq = seq;
  const number = document.createElement('span');
  number.className = 'seq';
  number.textContent = seq;
  number.title = time ?? '';
  const words = document.createElement('span');
  words.textContent = text.slice(0, SHOWN_CHARACTERS);
  if (text.length > SHOWN_CHARACTERS) {
    const more = document.createElement('button');
    more.textContent = `… ${(text.length - SHOWN_CHARACTERS).toLocaleString('en')} more characters`;
    more.addEventListener('click', () => {
      words.textContent = text;
      onOpen();
    });
    words.append(more);
  }
  row.append(number, words);
  return row;
}
