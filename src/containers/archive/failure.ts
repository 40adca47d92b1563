import { EngineError, messageOf } from "../../lib/errors.ts";
import { errnoText } from "../../lib/text/errno-text.ts";

/** The failure as Docker words it: Go's text for an errno, Go's bare sentence for a bad archive; 500 all of them. */
export function inGo(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  const text = typeof code === "string" ? errnoText(code) : undefined;
  const message = messageOf(error);
  if (text !== undefined && message.endsWith(`: ${code}`)) {
    const doing = message.startsWith("mknodat ") ? "" : message.slice(0, -String(code).length);
    return Object.assign(new EngineError("internal", doing + text, { cause: error }), { code });
  }
  const unhandled = /^archive\/tar: invalid tar header: unknown entry type "(.)"$/s.exec(message)?.[1];
  if (unhandled !== undefined)
    return new EngineError("internal", `unhandled tar header type ${unhandled.charCodeAt(0)}`, {
      cause: error,
    });
  if (message.startsWith("archive/tar: invalid tar header"))
    return new EngineError("internal", "archive/tar: invalid tar header", { cause: error });
  if (message === "unexpected EOF") return new EngineError("internal", message, { cause: error });
  return error;
}
