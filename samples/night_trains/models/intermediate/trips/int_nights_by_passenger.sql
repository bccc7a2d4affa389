with bookings as (

    select * from {{ ref('int_bookings_travelled') }}

),

lines as (

    select * from {{ ref('stg_rail__lines') }}

),

final as (

    select
        bookings.passenger_id,
        count(*) as nights,
        count(distinct bookings.line_code) as lines_seen,
        sum(lines.distance_km) as distance_km,
        min(bookings.service_date) as first_night_date,
        max(bookings.service_date) as last_night_date

    from bookings
    inner join lines
        on bookings.line_code = lines.line_code
    where bookings.is_travelled
    group by bookings.passenger_id

)

select * from final
