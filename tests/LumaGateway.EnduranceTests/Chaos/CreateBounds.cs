namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What must be true of a create with an <c>Idempotency-Key</c>, also where its record was deleted.</summary>
internal static class CreateBounds
{
    /// <summary>One generation is made under a key, and one more where its record was deleted.</summary>
    public static void CheckCount(string key, int made, Deletion deletion, bool mayBeForgotten, Findings findings) => findings.Check(
        Invariant.OneCreatePerKey,
        made <= (deletion is Deletion.None ? 1 : 2) || mayBeForgotten,
        () => $"{made} generations were made under the key {key} (deletion of its record: {deletion}).");

    /// <summary>A repetition names the same generation, unless the record was deleted with its outcome. One that is deleted while its create runs is written again.</summary>
    public static void CheckRepetition(string key, string first, string repeated, Deletion deletion, bool mayBeForgotten, Findings findings) => findings.Check(
        Invariant.OneCreatePerKey,
        first == repeated || deletion is Deletion.AfterItsEnd or Deletion.Uncertain || mayBeForgotten,
        () => $"{key} was answered with {first}, then with {repeated} (deletion of its record: {deletion}).");

    /// <summary>Every generation that a response named was made under that response's key.</summary>
    public static void CheckNamed(string key, IEnumerable<string> named, IReadOnlyDictionary<string, string> keyOf, Findings findings)
    {
        foreach (var id in named)
        {
            var other = keyOf.GetValueOrDefault(id);
            findings.Check(Invariant.AnswersAreTrue, other == key, () => $"The create with the key {key} was answered with {id}, which was made under {other ?? "no key"}.");
        }
    }
}
