using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace LumaGateway.Configuration;

/// <summary>Bounds a <see cref="TimeSpan"/> setting and names its key when it is out of them. (<see cref="RangeAttribute"/> needs reflection for that.)</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurationAttribute(string key, string shortest, string longest) : ValidationAttribute
{
    public string Key => key;

    public string Shortest => shortest;

    public string Longest => longest;

    public override bool IsValid(object? value) => value is TimeSpan duration
        && duration >= TimeSpan.Parse(shortest, CultureInfo.InvariantCulture)
        && duration <= TimeSpan.Parse(longest, CultureInfo.InvariantCulture);

    public override string FormatErrorMessage(string name) => $"{key} must be between {shortest} and {longest}.";
}
