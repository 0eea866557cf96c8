from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mesonet_api", "0003_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="detection",
            name="stored_bytes",
            field=models.PositiveBigIntegerField(default=0),
        ),
    ]
