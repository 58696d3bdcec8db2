namespace LumaGateway.Sandbox;

/// <summary>A failed start. The message is printed without a stack trace.</summary>
internal sealed class StartException(string message, Exception? innerException = null) : Exception(message, innerException);
