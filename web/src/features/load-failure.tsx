/** What could not be loaded, and the way to try again. */

import { Button } from "../ui/button";
import { ErrorText } from "../ui/notice";

export function LoadFailure({ text, onAgain }: { text: string; onAgain: () => void }) {
  return (
    <div className="flex flex-col items-start gap-2">
      <ErrorText>{text}</ErrorText>
      <Button onClick={onAgain}>Try again</Button>
    </div>
  );
}
