namespace LumaGateway.Sandbox;

/// <summary>Why the start failed, for the person at the console.</summary>
internal sealed class StartFault(string message, Exception? innerException = null) : Exception(message, innerException);
