import { add } from "./add.ts";
import { compareImages, describeLayers } from "./contents/layers.ts";
import { squash } from "./contents/squash.ts";
import { verify } from "./contents/verify.ts";
import type { Images } from "./contract.ts";
import type { ImagesContext, ImagesDeps } from "./deps.ts";
import { history } from "./history.ts";
import { importImage } from "./import/import.ts";
import { inspect } from "./inspect.ts";
import { Pins } from "./keeping/pins.ts";
import { Uses } from "./keeping/uses.ts";
import { list } from "./list.ts";
import { load } from "./load/load.ts";
import { namesOf } from "./names.ts";
import { LayerWork } from "./pull/layer-work.ts";
import { pull } from "./pull/pull.ts";
import { push } from "./push/push.ts";
import { describeRemote, remoteManifest, remoteReferrers } from "./remote/describe.ts";
import { remoteImage } from "./remote/image.ts";
import { putRemoteManifest } from "./remote/put.ts";
import { RemoteRecords } from "./remote/records.ts";
import { collect } from "./remove/collect.ts";
import { LayerReaper } from "./remove/reaper.ts";
import { remove } from "./remove/remove.ts";
import { isNamed, resolve, toImage } from "./resolve.ts";
import { archiveOf, save } from "./save/save.ts";
import { ImageStore } from "./store.ts";
import { tag } from "./tag.ts";
import { giveLayer, layerStates, takeLayer } from "./transfer/between-engines.ts";
import { SharedWork } from "./transfer/shared.ts";
import { bringOneLayer, sendOneLayer } from "./transfer/single-layer.ts";
import { SlotsByRegistry } from "./transfer/slots.ts";

function lastUsed({ store, uses }: ImagesContext, id: string): number {
  const image = store.get(id);
  const [tagged, created] = [image?.taggedNs ?? 0n, image?.createdNs ?? 0n].map((ns) =>
    Number(ns / 1_000_000n),
  );
  return Math.max(uses.get(id) ?? 0, tagged ?? 0) || (created ?? 0);
}

/** Opens the images service: reads the tables once, then answers from memory. */
export function openImages(deps: ImagesDeps): Images {
  const store = new ImageStore(deps.state);
  const reaper = new LayerReaper({ ...deps, store });
  const context: ImagesContext = {
    ...deps,
    store,
    reaper,
    pins: new Pins(deps.state, store),
    uses: new Uses(deps.state),
    remote: new RemoteRecords(deps.state),
    downloads: new SlotsByRegistry(() => deps.limits.downloads),
    uploads: new SlotsByRegistry(() => deps.limits.uploads),
    layerWork: new LayerWork(),
    taking: new Map(),
    pushWork: new SharedWork(),
  };
  return {
    resolve: (reference) => toImage(resolve(store, reference)),
    byId: (id) => {
      const record = store.get(id);
      return record && toImage(record);
    },
    isNamed: (reference, id) => isNamed(store, reference, id),
    names: (id) => namesOf(store, id),
    import: async (request) => toImage(await importImage(context, request)),
    load: (request) => load(context, request),
    save: (request) => save(context, request),
    archive: (images) => archiveOf(context, images),
    push: (request) => push(context, request),
    bringLayer: (request) => bringOneLayer(context, request),
    sendLayer: (request) => sendOneLayer(context, request),
    remoteImage: (request) => remoteImage(context, request),
    describeRemote: (request) => describeRemote(context, request),
    remoteManifest: (request) => remoteManifest(context, request),
    putRemoteManifest: (request) => putRemoteManifest(context, request),
    remoteReferrers: (request) => remoteReferrers(context, request),
    pull: (request) => pull(context, request),
    tag: (source, reference) => tag(context, source, reference),
    remove: (reference, options) => remove(context, reference, options),
    list: (options, users) => list(context, options, users),
    inspect: (reference, platform) => inspect(context, reference, platform),
    history: (reference, platform) => history(context, reference, platform),
    add: (config, options) => toImage(add(context, config, options)),
    layerStates: (diffIds) => layerStates(context, diffIds),
    giveLayer: (diffId, from) => giveLayer(context, diffId, from),
    takeLayer: (given) => takeLayer(context, given),
    count: () => store.size,
    layers: (name, options) => describeLayers(context, name, options),
    compare: (before, after) => compareImages(context, before, after),
    squash: async (request) => toImage(await squash(context, request)),
    verify: (request) => verify(context, request),
    pin: (name) => context.pins.add(name),
    unpin: (name) => context.pins.remove(name),
    isPinned: (id) => context.pins.has(id),
    close: () => context.uses.flush(),
    touch: (id) => context.uses.touch(id),
    lastUsed: (id) => lastUsed(context, id),
    collect: (keep, options) => collect(context, keep, options),
  };
}
