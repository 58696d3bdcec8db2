using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace LumaGateway.Configuration;

/// <summary>The range of a <see cref="TimeSpan"/> setting. The error message contains the key. <see cref="RangeAttribute"/> would need reflection.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurationAttribute(string key, string minimum, string maximum) : ValidationAttribute
{
    public string Key => key;

    public string Minimum => minimum;

    public string Maximum => maximum;

    public override bool IsValid(object? value) => value is TimeSpan duration
        && duration >= TimeSpan.Parse(minimum, CultureInfo.InvariantCulture)
        && duration <= TimeSpan.Parse(maximum, CultureInfo.InvariantCulture);

    public override string FormatErrorMessage(string name) => $"{key} must be between {minimum} and {maximum}.";
}
