using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>The body of a create is read once, although two middleware need it. Needs nothing.</summary>
public sealed class BodySpoolerTests
{
    private readonly BodySpooler _spooler = new(Options.Create(new PassthroughOptions()), NullLogger<BodySpooler>.Instance);

    [Fact]
    public async Task A_spooled_body_is_not_read_again()
    {
        var context = ContextWith("first");
        await using var body = (await _spooler.ReadAsync(context))!;
        BodySpooler.Send(context, body);

        Assert.Same(body, await _spooler.ReadAsync(context));
    }

    [Fact]
    public async Task A_body_that_was_replaced_is_read()
    {
        var context = ContextWith("first");
        await using var body = (await _spooler.ReadAsync(context))!;
        BodySpooler.Send(context, body);
        context.Request.Body = new MemoryStream("second"u8.ToArray());

        await using var replaced = (await _spooler.ReadAsync(context))!;

        using var reader = new StreamReader(replaced.Content);
        Assert.Equal("second", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_body_is_sent_from_its_first_byte_with_its_length()
    {
        var context = ContextWith("first");
        context.Request.Headers.TransferEncoding = "chunked";
        await using var body = (await _spooler.ReadAsync(context))!;
        body.Content.Position = 3;

        BodySpooler.Send(context, body);

        Assert.Equal((0, 5L, 0), (context.Request.Body.Position, context.Request.ContentLength, context.Request.Headers.TransferEncoding.Count));
    }

    private static DefaultHttpContext ContextWith(string body)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return context;
    }
}
