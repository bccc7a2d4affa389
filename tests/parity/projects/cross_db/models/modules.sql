select '{{ modules.re.sub("[aeiou]", "_", "hello") }}', '{{ modules.re.match("a(b)", "abc").group(1) }}', '{{ modules.datetime.date(2025, 1, 31) }}', '{{ modules.datetime.datetime(2025, 1, 31, 10, 5) }}',
    '{{ (modules.datetime.datetime(2025, 1, 31) + modules.datetime.timedelta(days=1)).strftime("%Y-%m-%d") }}', '{{ modules.datetime.datetime.strptime("2025-02-03", "%Y-%m-%d").isoformat() }}',
    '{{ local_md5("x") }}', '{{ modules.itertools.chain([1], [2]) | list }}', '{{ zip([1, 2], ["a", "b"]) | list }}', '{{ set([1, 1]) | list }}'
    , '{{ modules.datetime.time(hour=2) }}', '{{ modules.datetime.time(10, 5, 7, 20).isoformat() }}', '{{ modules.datetime.time.min }} {{ modules.datetime.time.max }}',
    '{{ modules.datetime.datetime.combine(modules.datetime.date(2025, 1, 31), modules.datetime.time(hour=2)) }}', '{{ modules.datetime.datetime(2025, 1, 31, 10, 5).time().hour }}',
    '{{ modules.datetime.time(9, 8).strftime("%H:%M on %Y-%m-%d") }}'
