namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>How the record of a create with an <c>Idempotency-Key</c> was deleted.</summary>
internal enum Deletion
{
    None,

    /// <summary>Before it had an outcome. The gateway writes it again when the create ends.</summary>
    WhileRunning,

    /// <summary>With its outcome. A repetition is a new create.</summary>
    AfterCompletion,

    /// <summary>The deletion was sent to Redis without a reply so far.</summary>
    Unconfirmed,
}
