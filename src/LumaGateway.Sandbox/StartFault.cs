namespace LumaGateway.Sandbox;

/// <summary>Why nothing was started, in words for the person at the console.</summary>
internal sealed class StartFault(string message, Exception? innerException = null) : Exception(message, innerException);
