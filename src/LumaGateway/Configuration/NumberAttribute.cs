using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace LumaGateway.Configuration;

/// <summary>The range of a number setting. The error message contains the key. Code generated for <see cref="RangeAttribute"/> would ignore the message.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NumberAttribute(string key, double minimum, double maximum) : ValidationAttribute
{
    public string Key => key;

    public double Minimum => minimum;

    public double Maximum => maximum;

    /// <summary>A missing setting is valid.</summary>
    public override bool IsValid(object? value) => value is null
        || (value is IConvertible number && number.ToDouble(CultureInfo.InvariantCulture) is var given && given >= minimum && given <= maximum);

    public override string FormatErrorMessage(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{key} must be between {minimum} and {maximum}.");
}
