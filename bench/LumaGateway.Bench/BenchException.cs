namespace LumaGateway.Bench;

/// <summary>A figure that cannot be believed, or a program that did not do what it was started for. Ends the run.</summary>
internal sealed class BenchException(string message) : Exception(message);
