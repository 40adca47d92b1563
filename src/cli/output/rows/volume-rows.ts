import { humanSize } from "../../../lib/text/units.ts";
import type { Volume } from "../../../types/api.ts";
import type { RowKind } from "../row-kind.ts";
import { joinLabels } from "../text.ts";

export const volumeRows: RowKind<Volume> = {
  goType: "*formatter.volumeContext",
  headers: {
    Name: "VOLUME NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    Availability: "AVAILABILITY",
    Mountpoint: "MOUNTPOINT",
    Labels: "LABELS",
    Links: "LINKS",
    Size: "SIZE",
    Group: "GROUP",
    Status: "STATUS",
  },
  fields: {
    Name: (volume) => volume.Name,
    Driver: (volume) => volume.Driver,
    Scope: (volume) => volume.Scope,
    Mountpoint: (volume) => volume.Mountpoint,
    Labels: (volume) => joinLabels(volume.Labels),
    Links: (volume) => (volume.UsageData ? String(volume.UsageData.RefCount) : "N/A"),
    Size: (volume) => (volume.UsageData ? humanSize(volume.UsageData.Size) : "N/A"),
    Group: () => "N/A",
    Availability: () => "N/A",
    Status: () => "N/A",
  },
  methods: { Label: (volume) => (name) => volume.Labels?.[String(name)] ?? "" },
};
