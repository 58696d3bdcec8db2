using System.Text;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Support;

/// <summary>Settings that change while the gateway runs, as a watched file's do, but at the moment the test says.</summary>
internal sealed class ChangingSettings : ConfigurationProvider, IConfigurationSource
{
    public ChangingSettings(string json) => Data = Read(json);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Replaces them all, and tells all listeners. What a listener throws is dropped, as it is for a watched file.</summary>
    public void Become(string json)
    {
        Data = Read(json);
        try
        {
            OnReload();
        }
        catch (AggregateException)
        {
            // An options monitor throws where a value is wrong.
        }
    }

    private static Dictionary<string, string?> Read(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable()
            .Where(setting => setting.Value is not null)
            .ToDictionary(StringComparer.OrdinalIgnoreCase);
    }
}
