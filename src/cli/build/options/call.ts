import { goBool } from "../../../lib/go/bool.ts";
import { optionError } from "../failure.ts";
import { csv } from "./pairs.ts";

/** `--call check,format=json,ignorestatus=true`: what to do, how to print it, and whether a finding fails the command. */
interface AskedCall {
  name: string;
  json: boolean;
  ignoresStatus: boolean;
}

export function parseCall(text: string): AskedCall {
  const call: AskedCall = { name: "", json: false, ignoresStatus: false };
  for (const field of text === "" ? [] : csv(text)) {
    const equals = field.indexOf("=");
    const [key, value] = equals < 0 ? ["", field] : [field.slice(0, equals), field.slice(equals + 1)];
    if (key === "format") call.json = value === "json";
    else if (key === "ignorestatus") call.ignoresStatus = truth(value);
    else if (equals >= 0) throw optionError(`invalid print field: ${field}`);
    else if (call.name !== "") throw optionError(`invalid print value: ${text}`);
    else call.name = value;
  }
  return { ...call, name: call.name || "build" };
}

function truth(value: string): boolean {
  const found = goBool(value);
  if (found === undefined) throw optionError(`invalid ignorestatus print value: ${value}`);
  return found;
}
