// The search takes every word of a question for the beginning of a word, so `a` finds agents and answers, and `i` finds imports. Therefore
// drop the words that say nothing, and prefer whole words, before the search gets a question.
(() => {
  const EMPTY_WORDS = new Set(
    (
      "a about again am an and any are as at be been being but by can cannot could did do does doing for from get gets getting had has have " +
      "how i if in into is it its just like me my need of off on one or our out should so some than that the their them then there these " +
      "they this those to too us use using want was way we were what when where which while who why will with would you your"
    ).split(" "),
  );

  const findStem = (word) => (word.length > 5 ? word.replace(/(ing|ed|es|s)$/, "") : word);

  // Each word counts once for the words that begin with its stem, and four times more for itself.
  const buildQuery = (question) => {
    const words = question.toLowerCase().split(/[\s:~^+*"-]+/).map((word) => word.replace(/^[("']+|[?!.,;)']+$/g, ""));
    const kept = words.filter((word) => word && !EMPTY_WORDS.has(word));
    return kept.length ? kept.map((word) => (word.length > 2 ? `${word}^4 ${findStem(word)}` : `${word}^4`)).join(" ") : question;
  };

  const QUERY = 2; // the type of a message to the search
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    const isQuery = message && message.type === QUERY && typeof message.data === "string";
    return post.call(this, isQuery ? { ...message, data: buildQuery(message.data) } : message, ...rest);
  };
})();
