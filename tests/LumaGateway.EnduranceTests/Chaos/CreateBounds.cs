namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Checks creates with an <c>Idempotency-Key</c>, also if their record was deleted.</summary>
internal static class CreateBounds
{
    /// <summary>A key creates one generation; two if its record was deleted.</summary>
    public static void CheckCount(string key, int count, Deletion deletion, bool mayHaveLostRecord, Findings findings) => findings.Check(
        Invariant.OneCreatePerKey,
        count <= (deletion is Deletion.None ? 1 : 2) || mayHaveLostRecord,
        () => $"{count} generations were created with the key {key} (deletion of its record: {deletion}).");

    /// <summary>A repetition returns the same generation, unless the completed record was deleted. The gateway rewrites a record that is deleted while its create runs.</summary>
    public static void CheckRepetition(string key, string first, string repeated, Deletion deletion, bool mayHaveLostRecord, Findings findings) => findings.Check(
        Invariant.OneCreatePerKey,
        first == repeated || deletion is Deletion.AfterCompletion or Deletion.Unconfirmed || mayHaveLostRecord,
        () => $"{key} returned {first}, then {repeated} (deletion of its record: {deletion}).");

    /// <summary>Each generation that a response names was created with the key of that response.</summary>
    public static void CheckGenerations(string key, IEnumerable<string> ids, IReadOnlyDictionary<string, string> keyOf, Findings findings)
    {
        foreach (var id in ids)
        {
            var other = keyOf.GetValueOrDefault(id);
            findings.Check(Invariant.ResponsesAreCorrect, other == key, () => $"The create with the key {key} returned {id}, which was created with {other ?? "no key"}.");
        }
    }
}
