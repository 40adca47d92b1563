import { bindLibc, check, cString } from "../libc.ts";

/** mount(2) as it is. A network file system can keep it waiting for minutes: call it in a worker then. */
const { mount } = bindLibc({ mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" } });

export interface MountCall {
  source: string;
  target: string;
  type: string;
  flags: number;
  /** "" = none */
  data: string;
}

/** Throws SystemError with the errno's name. */
export function mountCall({ source, target, type, flags, data }: MountCall): void {
  const text = data === "" ? null : cString(data);
  check(mount(cString(source), cString(target), cString(type), flags, text), `mount ${source} at ${target}`);
}
