/** One thing that was asked of a container, as `run` and as a compose file say it. */
export interface Option {
  /** `--memory`; undefined where `run` says it otherwise */
  flag?: string;
  /** undefined for a flag that stands alone */
  value?: string;
  /** where it stands in a compose service: `healthcheck.retries` */
  key?: string;
  /** the value there, where it is not `value`; lists and maps of one key are joined, `composed: null` leaves it out */
  composed?: Composed;
}

export type Composed = string | number | boolean | string[] | { [key: string]: Composed };

/** What a container was made of: everything that did not come from its image or the engine's defaults. */
export interface Recipe {
  name: string;
  image: string;
  options: Option[];
  /** undefined: the image's */
  command: string[] | undefined;
  /** undefined: the image's; empty: none */
  entrypoint: string[] | undefined;
  /** what cannot be said in a command or file */
  notes: string[];
}

/** The same option for each of a list. */
export const each = (flag: string, key: string, values: readonly string[] | null | undefined): Option[] =>
  (values ?? []).map((value) => ({ flag, value, key, composed: [value] }));

/** The option where there is a value: text that is not empty, a number that is not 0. */
export const given = (flag: string, key: string, value: string | number | null | undefined): Option[] =>
  value === undefined || value === null || value === "" || value === 0
    ? []
    : [{ flag, value: String(value), key, composed: value }];

export const when = (holds: boolean | null | undefined, flag: string, key: string): Option[] =>
  holds ? [{ flag, key, composed: true }] : [];

/** `name=value` for each pair. */
export const pairs = (
  flag: string,
  key: string,
  record: Readonly<Record<string, string>> | null | undefined,
): Option[] =>
  Object.entries(record ?? {}).map(([name, value]) => ({
    flag,
    value: `${name}=${value}`,
    key,
    composed: { [name]: value },
  }));
