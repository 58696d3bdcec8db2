using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>A ticket for one generation. It is a secret: whoever has it can use it until it expires.</summary>
/// <param name="Ticket">The value of the query parameter <c>ticket</c>.</param>
/// <param name="ExpiresAt">When it expires, RFC 3339, UTC.</param>
public sealed record GenerationTicket(string Ticket, [property: JsonConverter(typeof(Rfc3339Converter))] DateTimeOffset ExpiresAt);
