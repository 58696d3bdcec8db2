namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What was done to the record of a keyed create.</summary>
internal enum Deletion
{
    None,

    /// <summary>It was deleted before it had an outcome: the gateway writes it again when the create ends.</summary>
    WhileRunning,

    /// <summary>It was deleted with its outcome: a repetition is a new create.</summary>
    AfterItsEnd,

    /// <summary>Its deletion was sent to Redis and had no reply yet, or will have none.</summary>
    Uncertain,
}
