import { parseReference, type Reference, withDefaultTag } from "../../lib/image/reference.ts";

/** The image a user named, or `undefined` where it is an id; throws `invalid reference format` and its relatives. */
export function imageReference(image: string): Reference | undefined {
  const plain = plainReference(image);
  if (plain) return plain;
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return undefined;
  return withDefaultTag(parseReference(image));
}

const plainMax = 32;

/**
 * `debian` or `debian:12.5`, as most are: small letters and digits, and a tag of them and dots. The grammar's expression would
 * take longer to set up than all else that `create` does.
 */
function plainReference(image: string): Reference | undefined {
  if (image.length > plainMax) return undefined;
  const colon = image.indexOf(":");
  const name = colon < 0 ? image : image.slice(0, colon);
  const tag = colon < 0 ? "latest" : image.slice(colon + 1);
  if (!isPlain(name, false) || !isPlain(tag, true)) return undefined;
  return { domain: "docker.io", path: `library/${name}`, tag };
}

function isPlain(text: string, dots: boolean): boolean {
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    const plain = (character >= 0x61 && character <= 0x7a) || (character >= 0x30 && character <= 0x39); // a-z, 0-9
    if (!plain && !(dots && character === 0x2e && at > 0)) return false;
  }
  return text.length > 0;
}
