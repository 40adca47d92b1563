import type { Value } from "../../lib/go/template/values.ts";

/** One row of a list: what its fields are called in Go, their headers, and how each is made. */
export interface RowKind<T> {
  goType: string;
  /** header of each field; a field without one shows `<no value>` in a table's first row */
  headers: Record<string, string>;
  fields: Record<string, (item: T) => Value>;
  /**
   * Whole columns of the same, for lists that are often long: one loop each and no function of ours for a cell, because
   * what is called some thirty times is compiled (docs/decisions/0022)
   */
  columns?: Columns<T>;
  /** methods with arguments, such as `Label "k"` */
  methods?: Record<string, (item: T) => (...args: Value[]) => Value>;
  /** fields that tell something of the process (its time zone), or that the engine of templates alone can print */
  notPlain?: readonly string[];
  /** fields left out of `json` */
  notInJson?: string[];
  /** `json` has the fields in their order here, not by name: what Docker prints is a structure */
  isStructure?: true;
}

export type Columns<T> = Record<string, (items: readonly T[]) => string[]>;

/** Whole columns as fields of one item. */
export const oneByOne = <T>(columns: Columns<T>): RowKind<T>["fields"] =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, (item: T) => column([item])[0] ?? ""]),
  );
