/** Requests to the server that this page comes from. */

/** A request that was refused, or that could not be made. */
export class Refused extends Error {
  /**
   * @param {string} code As the server names it; "offline" without a connection.
   * @param {string} sentence Can be shown to the reader.
   * @param {number} [retryAfterS] When it makes sense to try again.
   */
  constructor(code, sentence, retryAfterS) {
    super(sentence);
    this.code = code;
    this.sentence = sentence;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return ["offline", "too_many", "busy", "disk"].includes(this.code);
  }
}

const OFFLINE = "There is no connection to the server.";
const TIMEOUT_MS = 10_000;

/** @returns {Promise<object>} What the server sends back. */
export async function get(path) {
  return content(await answer(path, {}));
}

/** @returns {Promise<object|null>} What the server sends back; null if that is nothing. */
export async function post(path, message, options = {}) {
  const body = JSON.stringify(message);
  const headers = { "Content-Type": "application/json" };
  const got = await answer(path, { method: "POST", body, headers, ...options });
  return got.status === 204 ? null : content(got);
}

/** @returns {Promise<Uint16Array>} Voxels of a volume, however slowly they come. */
export async function volume(name) {
  const silence = new AbortController();
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), TIMEOUT_MS);
  };
  wait();
  try {
    const got = await answer(`api/volumes/${name}`, { signal: silence.signal });
    const heard = new TransformStream({
      transform: (chunk, out) => {
        wait();
        out.enqueue(chunk);
      },
    });
    return new Uint16Array(await new Response(got.body.pipeThrough(heard)).arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {Promise<Blob>} The receipt of a finished reading. */
export async function receipt() {
  return (await answer("api/receipt", {})).blob();
}

/** Hotel networks answer with a page of their own. */
async function content(got) {
  try {
    return await got.json();
  } catch {
    throw new Refused("offline", OFFLINE);
  }
}

async function answer(path, options) {
  let got;
  try {
    got = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  } catch {
    throw new Refused("offline", OFFLINE);
  }
  if (got.ok) return got;
  try {
    const { code, sentence, retry_after_s: retryAfterS } = (await got.json()).error;
    throw new Refused(code, sentence, retryAfterS);
  } catch (error) {
    if (error instanceof Refused) throw error;
    // A proxy answers instead of the server.
    throw got.status >= 500
      ? new Refused("offline", OFFLINE)
      : new Refused(
          "bad_request",
          "The server does not understand this page. Please load it again.",
        );
  }
}
