using System.Text;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Support;

/// <summary>Settings that a test changes while the gateway runs, like a watched file.</summary>
internal sealed class ChangingSettings : ConfigurationProvider, IConfigurationSource
{
    public ChangingSettings(string json) => Data = Read(json);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Replaces all settings and notifies the listeners. Ignores their exceptions, like a watched file.</summary>
    public void Update(string json)
    {
        Data = Read(json);
        try
        {
            OnReload();
        }
        catch (AggregateException)
        {
            // An options monitor throws if a value is invalid.
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
