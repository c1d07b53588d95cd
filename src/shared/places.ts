import { Shares } from "./shares.ts";

/** Places that groups share: however many of one want more, it leaves some for others where there are three or more. */
export function sharedPlaces(places: number): Shares {
  return new Shares({ places, perTenant: places < 3 ? places : places - 1, isShared: true });
}
