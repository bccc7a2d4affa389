with days as (

    select (date '{{ var("calendar_start") }}' + day_number) as date_day
    from generate_series(0, {{ var('calendar_days') }} - 1) as day_number

),

final as (

    select
        date_day,
        extract(isodow from date_day)::int as iso_weekday,
        extract(isodow from date_day) in (6, 7) as is_weekend,
        {{ season('date_day') }} as season

    from days

)

select * from final
