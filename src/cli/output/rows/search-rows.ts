import type { RowKind } from "../row-kind.ts";

export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
}

const descriptionMax = 45;

export const searchRows = (truncate: boolean): RowKind<SearchResult> => ({
  goType: "*formatter.searchContext",
  headers: {
    Name: "NAME",
    Description: "DESCRIPTION",
    StarCount: "STARS",
    IsOfficial: "OFFICIAL",
    IsAutomated: "AUTOMATED",
  },
  fields: {
    Name: ({ name }) => name,
    Description: ({ description }) => shortened(description.replaceAll(/[\r\n]/g, " "), truncate),
    StarCount: ({ star_count }) => String(star_count),
    IsOfficial: ({ is_official }) => (is_official ? "[OK]" : ""),
    IsAutomated: () => "",
  },
});

const shortened = (text: string, truncate: boolean): string =>
  truncate && text.length > descriptionMax ? `${text.slice(0, descriptionMax - 1)}…` : text;
