import { parsePlatform } from "../../lib/image/platform.ts";
import { CliError } from "../errors.ts";

/** The path of an image: its name's slashes stay, as engines expect. */
export const imagePath = (name: string, rest = ""): string =>
  `/images/${name.split("/").map(encodeURIComponent).join("/")}${rest}`;

/** `linux/arm64/v8` as the JSON that requests carry; `prefix` goes before what is wrong with it. */
export function platformQuery(text: string, prefix = ""): string | undefined {
  if (text === "") return undefined;
  try {
    const { os, architecture, variant } = parsePlatform(text);
    return JSON.stringify({ architecture, os, ...(variant ? { variant } : {}) });
  } catch (error) {
    throw new CliError(prefix + (error as Error).message);
  }
}
