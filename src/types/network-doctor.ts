/** `GET` and `POST /berth/networks/doctor`: our own. */
export interface NetworkFinding {
  /** "broken" is the engine's to mend; "advice" is the administrator's */
  state: "well" | "broken" | "mended" | "advice";
  /** one sentence: what was looked at, and what was found */
  text: string;
  /** commands that help, one a line; "" = none */
  remedy: string;
}
