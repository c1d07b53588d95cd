import { checkEffects } from "./check-effects.ts";
import { checkLogs } from "./check-log.ts";
import { checkOutcomes } from "./check-outcome.ts";
import { checkStatuses, type Terms } from "./check-status.ts";
import { checkViews } from "./check-views.ts";
import type { Story } from "./story.ts";

/** A promise that was broken. */
export interface Violation {
  /** Which one, such as "gap". */
  readonly name: string;
  readonly detail: string;
  /** Who saw it, where it is one reader's. */
  readonly reader?: string;
}

/** Everything that is wrong with a story that is over. Marks the blows that explain how it ended. */
export function checkStory(story: Story, terms: Terms): Violation[] {
  return [
    ...checkLogs(story),
    ...checkViews(story),
    ...checkEffects(story),
    ...checkOutcomes(story, terms.blows),
    ...checkStatuses(story, terms),
  ];
}
